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
        // Unknown parameters are errors, so that a misspelt one is noticed.
        for name in query.values.keys.sorted() where !Self.names.contains(name) {
            let hint = closestName(to: name, among: Self.names).map { " Did you mean '\($0)'?" } ?? ""
            throw Problem(
                .badRequest,
                "There is no parameter '\(name.shortened)'.\(hint) There are \(Self.names.joined(separator: ", "))."
            )
        }
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
        if let text = values["format"] { format = try Self.format(text) }
        if let text = values["tolerance"] { tolerance = try Self.tolerance(text) }
        if let text = values["size"] { size = try Self.size(text) }
        if let text = values["edges"] {
            guard let kind = Segmenter.Edges(rawValue: text) else {
                throw Self.bad(
                    "edges",
                    text,
                    "one of \(Segmenter.Edges.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            }
            edges = kind
        }
        if let text = values["samples"] {
            guard Self.isNumber(text), let number = Int(text), (1...limits.samples).contains(number) else {
                throw Self.bad("samples", text, "a whole number in 1...\(limits.samples)")
            }
            samples = number
        }
        if let text = values["seed"] {
            // Negative seeds are numbers, too.
            guard Self.isNumber(text), let number = UInt64(text) ?? Int64(text).map({ UInt64(bitPattern: $0) })
            else { throw Self.bad("seed", text, "a whole number of 64 bits") }
            seed = number
        }
        if let text = values["refine"] {
            guard ["none", "crf"].contains(text) else { throw Self.bad("refine", text, "one of none, crf") }
            isRefined = text == "crf"
        }
        if let text = values["include"] {
            let kinds = try Self.kinds(text)
            include = OutputKind.allCases.filter { kinds.contains($0) }
        }
    }

    private static func output(_ text: String, _ outputs: [OutputKind]) throws(Problem) -> OutputKind {
        guard outputs == [.json], text != OutputKind.json.rawValue else { return try kind(text, "output", outputs) }
        throw Problem(
            .badRequest,
            "A batch is answered in JSON. Leave 'output' out, and name the pictures that you want in 'include'."
        )
    }

    private static func kinds(_ text: String) throws(Problem) -> Set<OutputKind> {
        var kinds: Set<OutputKind> = []
        // An empty word is a typing error, too.
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            kinds.insert(try kind(String(word), "include", OutputKind.allCases.filter(\.isImage)))
        }
        return kinds
    }

    private static func kind(_ text: String, _ name: String, _ choices: [OutputKind]) throws(Problem) -> OutputKind {
        guard let kind = OutputKind(rawValue: text), choices.contains(kind) else {
            throw bad(name, text, "one of \(choices.map(\.rawValue).joined(separator: ", "))")
        }
        return kind
    }

    /// Whether a text is a whole number as JSON and the OpenAPI file write it. Swift's initialisers take `+5` and `007`, too.
    private static func isNumber(_ text: some StringProtocol) -> Bool {
        let digits = text.hasPrefix("-") && text != "-0" ? text.dropFirst() : text[...]
        return !digits.isEmpty && digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            && (digits.count == 1 || digits.first != "0")
    }

    private static func format(_ text: String) throws(Problem) -> AnnotationFormat {
        guard let format = AnnotationFormat(rawValue: text), AnnotationFormat.served.contains(format) else {
            throw bad("format", text, "one of \(AnnotationFormat.served.map(\.rawValue).joined(separator: ", "))")
        }
        return format
    }

    private static func tolerance(_ text: String) throws(Problem) -> Double {
        let isPlain = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
        guard isPlain, let number = Double(text), (0...greatestTolerance).contains(number) else {
            throw bad("tolerance", text, "a number in 0...\(Int(greatestTolerance)) such as 1.5")
        }
        return number
    }

    /// As `segnet predict --tolerance` has it.
    private static let greatestTolerance = 1000.0

    /// Sides beyond this are typing errors; the limit on pixels comes later, when the model is known.
    private static let greatestSide = 99_999

    private static func size(_ text: String) throws(Problem) -> Segmenter.RunSize {
        switch text {
        case "model": return .network
        case "native": return .picture
        default:
            let sides = text.split(separator: "x", omittingEmptySubsequences: false)
            guard sides.count == 2, sides.allSatisfy(isNumber), let width = Int(sides[0]), let height = Int(sides[1]),
                (1...greatestSide).contains(width), (1...greatestSide).contains(height)
            else { throw bad("size", text, "'model', 'native' or a width and height such as 480x360") }
            return .fixed(width: width, height: height)
        }
    }

    static func bad(_ name: String, _ found: String, _ needed: String) -> Problem {
        Problem(.badRequest, "The parameter '\(name)' is '\(found.shortened)'; it has to be \(needed).")
    }
}
