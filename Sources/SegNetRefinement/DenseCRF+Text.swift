extension DenseCRF {
    /// The names of the numbers of a command line, in their order.
    public static let parameterNames = ["w1", "sigma-alpha", "sigma-beta", "w2", "sigma-gamma", "iterations"]

    /// Reads the numbers of a command line, `4,49,5,3,3,10`: those of `parameterNames` in their order; later ones may be left out. One of
    /// the words `after` and `symmetric` may follow.
    /// - Throws: `DenseCRFError` with the text that is none of these.
    public init(_ text: String) throws(DenseCRFError) {
        self.init()
        var words = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        if let last = words.last, let named = Normalization(rawValue: last) {
            normalization = named
            words.removeLast()
        }
        let names = Self.parameterNames
        guard words.count <= names.count else {
            throw DenseCRFError(
                "'\(text)' has \(words.count) numbers; at most \(names.count) are read: \(names.joined(separator: ","))"
            )
        }
        for (name, word) in zip(names, words) {
            guard let value = Double(word), value.isFinite else {
                throw DenseCRFError(
                    "\(name) is '\(word)', which is not a number; write \(names.joined(separator: ","))"
                )
            }
            switch name {
            case "w1": w1 = value
            case "sigma-alpha": sigmaAlpha = value
            case "sigma-beta": sigmaBeta = value
            case "w2": w2 = value
            case "sigma-gamma": sigmaGamma = value
            default:
                guard let count = Int(word) else {
                    throw DenseCRFError("iterations is '\(word)'; give a whole number")
                }
                iterations = count
            }
        }
        try check()
    }

    /// A number without a decimal point where it is whole: `49`, `0.5`.
    package static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    }
}

extension DenseCRF: CustomStringConvertible {
    /// The text that `init(_:)` reads: `4,49,5,3,3,10`, `10,60,20,3,3,10,symmetric`.
    public var description: String {
        let numbers = [w1, sigmaAlpha, sigmaBeta, w2, sigmaGamma].map(Self.number) + ["\(iterations)"]
        return (numbers + (normalization == .after ? [] : [normalization.rawValue])).joined(separator: ",")
    }
}
