import SegNetNetworks
import SegNetPlatform

extension ONNXGraph {
    /// v = x - local mean; y = v / max(local deviation, mean deviation), 0 where that is 0.
    mutating func localContrastNormalization(
        _ kind: LocalContrastNormalization,
        _ layer: Layer,
        _ x: String,
        input: Shape
    ) throws(FormatError) -> String {
        // The borders' factors are stored for every pixel.
        guard saturatingProduct(input.height, input.width) <= 1 << 26 else {
            throw FormatError(
                file: file,
                problem: "layer '\(layer.name)' would need constants for \(input.height)x\(input.width) pixels",
                advice: "Export for a smaller \(UserChoice.size)"
            )
        }
        let name = layer.name
        let radius = kind.size / 2
        let line = (-radius...radius).map { exp(-Double($0 * $0) / (2 * kind.sigma * kind.sigma)) }
        // The fraction of the window that is inside the picture, by which borders are renormalised.
        func coverage(_ count: Int) -> [Double] {
            (0..<count).map { position in
                let offsets = max(-radius, -position)...min(radius, count - 1 - position)
                return offsets.reduce(0.0) { $0 + line[$1 + radius] }
            }
        }
        let (rows, columns) = (coverage(input.height), coverage(input.width))
        let channels = input.channels
        let kernel = weights("\(name)_window", [1, channels, kind.size, kind.size]) { () throws(FormatError) in
            let plane = line.flatMap { y in line.map { Float(y * $0 / Double(channels)) } }
            return (0..<channels).flatMap { _ in plane }
        }
        let factors = weights("\(name)_coverage", [1, 1, input.height, input.width]) { () throws(FormatError) in
            rows.flatMap { y in columns.map { Float(1 / (y * $0)) } }
        }
        let attributes = [
            attribute("kernel_shape", [kind.size, kind.size]),
            attribute("pads", [radius, radius, radius, radius]),
        ]
        func localMean(_ graph: inout ONNXGraph, _ value: String, _ part: String) -> String {
            let sum = graph.node("Conv", [value, kernel], name: "\(name)_\(part)_sum", attributes)
            return graph.node("Mul", [sum, factors], name: "\(name)_\(part)")
        }
        let mean = localMean(&self, x, "mean")
        let centred = node("Sub", [x, mean], name: "\(name)_centred")
        let squares = node("Mul", [centred, centred], name: "\(name)_squares")
        let variance = localMean(&self, squares, "variance")
        let deviation = node("Sqrt", [variance], name: "\(name)_deviation")
        let floor = node(
            "ReduceMean",
            [deviation],
            name: "\(name)_floor",
            [attribute("axes", [2, 3]), attribute("keepdims", 1)]
        )
        // A flat picture has no contrast to divide by: the smallest number turns 0 / 0 into 0.
        let divisor = node("Max", [deviation, floor, constant(Float.leastNormalMagnitude)], name: "\(name)_divisor")
        return node("Div", [centred, divisor], name: name)
    }
}
