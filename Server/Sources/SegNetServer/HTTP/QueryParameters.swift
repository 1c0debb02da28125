internal import HTTPTypes

/// The parameters behind a path's question mark, each at most once.
struct QueryParameters: Sendable, Hashable {
    private(set) var values: [String: String] = [:]

    /// - Parameter query: As in the request; nil for none.
    /// - Throws: `Problem` for a damaged escape or a parameter that comes twice.
    init(_ query: String?) throws(Problem) {
        for part in (query ?? "").split(separator: "&") {
            let equals = part.firstIndex(of: "=")
            let name = try Self.decode(part[..<(equals ?? part.endIndex)])
            let value = try Self.decode(equals.map { part[part.index(after: $0)...] } ?? part[part.endIndex...])
            guard values.updateValue(value, forKey: name) == nil else {
                throw Problem(.badRequest, "The parameter '\(name.shortened)' is given twice. Give it once.")
            }
        }
    }

    subscript(_ name: String) -> String? { values[name] }

    private static func decode(_ text: Substring) throws(Problem) -> String {
        guard let bytes = PercentEncoding.decode(text, plusIsSpace: true) else {
            throw Problem(
                .badRequest,
                "The query has a '%' that is not followed by two hexadecimal digits. Write '%25' for '%'."
            )
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw Problem(.badRequest, "The query is not UTF-8. Escape its letters as UTF-8.")
        }
        return decoded
    }
}
