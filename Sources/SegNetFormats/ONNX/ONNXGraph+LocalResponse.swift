import SegNetNetworks

extension ONNXGraph {
    /// ONNX's LRN is the original's. Where only the first channels take part, they are cut off and joined again.
    mutating func localResponseNormalization(
        _ kind: LocalResponseNormalization,
        _ name: String,
        _ x: String,
        channels: Int
    ) -> String {
        let attributes = [
            attribute("size", kind.size), attribute("alpha", kind.alpha), attribute("beta", kind.beta),
            attribute("bias", kind.k),
        ]
        guard let counted = kind.channels, counted < channels else { return node("LRN", [x], name: name, attributes) }
        func part(_ range: Range<Int>, _ suffix: String) -> String {
            node(
                "Slice",
                [x, constant([range.lowerBound]), constant([range.upperBound]), constant([1])],
                name: "\(name)_\(suffix)"
            )
        }
        let colors = node("LRN", [part(0..<counted, "colors")], name: "\(name)_normalized", attributes)
        let others = part(counted..<channels, "others")
        return node("Concat", [colors, others], name: name, [attribute("axis", 1)])
    }
}
