/// Which gradients are exchanged together: those of neighbouring layers, as soon as the backward pass has finished the last of them.
struct GradientBuckets {
    /// Gradients that travel together.
    struct Bucket: Hashable {
        /// The node after whose backward step they are complete.
        var node: Int
        /// Their place among all gradients, in floats: one range, unless something that does not learn is between them.
        var ranges: [Range<Int>]
    }

    /// In the order of the backward pass.
    private(set) var buckets: [Bucket] = []

    /// The fewest numbers in a bucket. Sending 4 MiB takes long enough that the fixed cost of a message does not count, and the last
    /// bucket, whose transfer nothing hides, is a small part of a network.
    static let size = 1 << 20

    init(_ layout: ParameterLayout, backwardNodes: [Int], size: Int = Self.size) {
        let byNode = layout.rangesByNode
        var open: [Range<Int>] = []
        for node in backwardNodes {
            for range in byNode[node].reversed() where range.learns {
                // Ranges begin at multiples of 16; padding between them is 0.
                if let last = open.last, last.lowerBound - range.range.upperBound < 16, range.range < last {
                    open[open.count - 1] = range.range.lowerBound..<last.upperBound
                } else {
                    open.append(range.range)
                }
            }
            guard open.reduce(0, { $0 + $1.count }) >= size || node == backwardNodes.last, !open.isEmpty else {
                continue
            }
            buckets.append(Bucket(node: node, ranges: open))
            open = []
        }
    }

    /// The bytes of all gradients that are exchanged.
    var byteCount: Int { buckets.lazy.flatMap(\.ranges).reduce(0) { $0 + $1.count } * 4 }
}

extension Range<Int> {
    /// Whether it ends before the other begins.
    fileprivate static func < (a: Self, b: Self) -> Bool { a.upperBound <= b.lowerBound }
}

extension ParameterLayout {
    /// The parameters of each node of the graph, in the order of the layout.
    var rangesByNode: [[ParameterRange]] {
        var next = 0
        return nodes.map { node in
            let count =
                switch node {
                case .none: 0
                case .convolution(_, _, let bias): bias == nil ? 1 : 2
                case .normalization(_, let shift): shift == nil ? 1 : 2
                }
            defer { next += count }
            return Array(ranges[next..<next + count])
        }
    }
}
