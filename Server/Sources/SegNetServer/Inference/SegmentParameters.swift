internal import HTTPTypes
internal import SegNetToolkit

/// A client's request to `/v1/segment`, checked.
struct SegmentParameters: Sendable, Hashable {
    var model: String?
    var output = OutputKind.mask
    /// What a cut-out shows: names of classes with commas between, as they came.
    var classes: String?
    /// The form of polygons.
    var format: AnnotationFormat?
    /// How far, in pixels, simplified borders may lie from the exact ones.
    var tolerance: Double?
    var size = Segmenter.RunSize.network
    var edges = Segmenter.Edges.nearest
    var samples = 1
    var seed: UInt64 = 0
    /// Whether a dense CRF refines the classes.
    var isRefined = false
    /// Pictures in the JSON, in the order of `OutputKind`.
    var include: [OutputKind] = []

    static let names = [
        "model", "output", "classes", "format", "tolerance", "size", "edges", "samples", "seed", "refine", "include",
    ]

    /// - Parameters:
    ///   - query: Must not contradict the form.
    ///   - form: Text parts of a form, with names from `names`.
    ///   - outputs: The possible outputs, beginning with the default.
    /// - Throws: `Problem` 400 naming the parameter, what was found and what it can be.
    init(
        query: QueryParameters,
        form: [String: String] = [:],
        limits: Limits,
        outputs: [OutputKind] = OutputKind.allCases
    ) throws(Problem) {
        try ParameterText.check(query, names: Self.names)
        if let first = outputs.first { output = first }
        try take(form, limits, outputs)
        try take(query.values, limits, outputs)
        for name in Self.names {
            guard let asked = query.values[name], let told = form[name], asked != told else { continue }
            throw Problem(
                .badRequest,
                "The parameter '\(name)' is '\(asked.shortened)' in the query and '\(told.shortened)' in the form. Give it once."
            )
        }
    }

    /// Takes what is there, and leaves the rest as it is.
    private mutating func take(
        _ values: [String: String],
        _ limits: Limits,
        _ outputs: [OutputKind]
    ) throws(Problem) {
        if let text = values["model"] { model = text }
        if let text = values["output"] { output = try Self.output(text, outputs) }
        if let text = values["classes"] { classes = text }
        if let text = values["format"] {
            format = try ParameterText.choice("format", text, AnnotationFormat.served)
        }
        if let text = values["tolerance"] {
            tolerance = try ParameterText.decimal("tolerance", text, Self.tolerances, "0...1000 such as 1.5")
        }
        if let text = values["size"] { size = try Self.size(text) }
        if let text = values["edges"] {
            edges = try ParameterText.choice("edges", text, Segmenter.Edges.allCases)
        }
        if let text = values["samples"] { samples = try ParameterText.number("samples", text, 1...limits.samples) }
        if let text = values["seed"] {
            // Negative seeds are numbers, too.
            guard ParameterText.isNumber(text),
                let number = UInt64(text) ?? Int64(text).map({ UInt64(bitPattern: $0) })
            else { throw ParameterText.bad("seed", text, "a whole number of 64 bits") }
            seed = number
        }
        if let text = values["refine"] {
            guard ["none", "crf"].contains(text) else {
                throw ParameterText.bad("refine", text, "one of none, crf")
            }
            isRefined = text == "crf"
        }
        if let text = values["include"] {
            let kinds = try Self.kinds(text)
            include = OutputKind.allCases.filter { kinds.contains($0) }
        }
    }

    private static func output(_ text: String, _ outputs: [OutputKind]) throws(Problem) -> OutputKind {
        guard outputs == [.json], text != OutputKind.json.rawValue else {
            return try ParameterText.choice("output", text, outputs)
        }
        throw Problem(
            .badRequest,
            "A batch is answered in JSON. Leave 'output' out, and name the pictures that you want in 'include'."
        )
    }

    private static func kinds(_ text: String) throws(Problem) -> Set<OutputKind> {
        var kinds: Set<OutputKind> = []
        // An empty word is a typing error, too.
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            kinds.insert(
                try ParameterText.choice("include", String(word), OutputKind.allCases.filter(\.isImage))
            )
        }
        return kinds
    }

    /// As `segnet predict --tolerance` has them.
    private static let tolerances = 0.0...1000

    /// Sides beyond this are typing errors; the limit on pixels comes later, when the model is known.
    private static let greatestSide = 99_999

    private static func size(_ text: String) throws(Problem) -> Segmenter.RunSize {
        switch text {
        case "model": return .network
        case "native": return .picture
        default:
            let sides = text.split(separator: "x", omittingEmptySubsequences: false)
            guard sides.count == 2, sides.allSatisfy(ParameterText.isNumber), let width = Int(sides[0]),
                let height = Int(sides[1]),
                (1...greatestSide).contains(width), (1...greatestSide).contains(height)
            else { throw ParameterText.bad("size", text, "'model', 'native' or a width and height such as 480x360") }
            return .fixed(width: width, height: height)
        }
    }
}
