public import SegNetPlatform

/// Named tensors: what a network has learnt. `conv1_1.weight`, `conv1_1.bias`, `conv1_1_bn.scale`, ...
public struct Weights: Sendable {
    /// By full name.
    public var tensors: [String: WeightTensor]

    public init(_ tensors: [String: WeightTensor] = [:]) { self.tensors = tensors }

    public subscript(name: String) -> WeightTensor? {
        get { tensors[name] }
        set { tensors[name] = newValue }
    }

    /// A layer's tensor.
    public subscript(layer: String, role: LayerParameter.Role) -> WeightTensor? {
        get { tensors["\(layer).\(role)"] }
        set { tensors["\(layer).\(role)"] = newValue }
    }

    /// Whether these are the same tensors with the same numbers, bit for bit.
    package func isIdentical(to other: Weights) -> Bool {
        tensors.count == other.tensors.count
            && tensors.allSatisfy { name, tensor in other[name].map { tensor.isIdentical(to: $0) } ?? false }
    }
}

extension Weights {
    /// Checks that every tensor the network needs is there with the right shape.
    /// - Parameter file: The name of the weights' source in errors.
    /// - Throws: `WeightsError` for the first that is not; `NetworkError` if the network itself does not fit together.
    public func check(for network: Network, file: String) throws {
        let needed = try network.parameters()
        for (_, name, parameter) in needed {
            guard let tensor = tensors[name] else {
                // A name that another layer needs is certainly not what was meant.
                let unused = Set(tensors.keys).subtracting(needed.map(\.name))
                let closest = closestName(to: name, among: Array(unused))
                throw WeightsError(file: file, tensor: name, reason: .missing(closest: closest))
            }
            guard tensor.shape == parameter.shape else {
                throw WeightsError(
                    file: file,
                    tensor: name,
                    reason: .shape(found: tensor.shape, expected: parameter.shape)
                )
            }
        }
    }
}

/// A tensor that a network needs is missing, has another shape, or holds a number that no network can use.
public struct WeightsError: Error, Hashable, CustomStringConvertible {
    public enum Reason: Sendable, Hashable {
        case missing(closest: String?)
        case shape(found: Shape, expected: Shape)
        case notFinite(value: Float, index: Int)
        case negativeVariance(value: Float, index: Int)
    }

    public let file: String
    public let tensor: String
    public let reason: Reason

    public init(file: String, tensor: String, reason: Reason) {
        self.file = file
        self.tensor = tensor
        self.reason = reason
    }

    public var description: String { "\(file): \(problem)." }

    /// What is wrong, and the next step: sentences, the last without its full stop.
    package var problem: String {
        switch reason {
        case .missing(let closest):
            let hint = closest.map { ". The closest name in the file is '\($0)'" } ?? ""
            return "tensor '\(tensor)' is missing, the network needs it\(hint)"
        case .shape(let found, let expected):
            return "tensor '\(tensor)' has shape \(found), the network needs \(expected)"
        case .notFinite(let value, let index):
            return "tensor '\(tensor)' holds \(value) at index \(index); use another model, or train this one again"
        case .negativeVariance(let value, let index):
            return
                "tensor '\(tensor)' holds \(value) at index \(index), a variance is 0 or more; use another model, or convert this one again"
        }
    }
}

/// The name with the fewest edits from `name`, if it is near enough to be meant: at most a third of the longer one's letters, or one,
/// may differ, but not all. Two neighbours that are swapped are one edit (the optimal string alignment distance).
public func closestName(to name: String, among candidates: [String]) -> String? {
    func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var (before, row) = ([Int](), Array(0...b.count))
        for i in a.indices {
            var next = [i + 1]
            for j in b.indices {
                var edits = min(next[j] + 1, row[j + 1] + 1, row[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { edits = min(edits, before[j - 1] + 1) }
                next.append(edits)
            }
            (before, row) = (row, next)
        }
        return row[b.count]
    }
    let letters = Array(name.utf8.prefix(200))
    let ranked = candidates.sorted().map { ($0, distance(letters, Array($0.utf8.prefix(200)))) }
    guard let best = ranked.min(by: { $0.1 < $1.1 }), best.1 < letters.count,
        best.1 <= max(1, max(letters.count, best.0.utf8.prefix(200).count) / 3)
    else { return nil }
    return best.0
}
