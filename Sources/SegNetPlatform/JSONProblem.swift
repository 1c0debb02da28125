// What is wrong with a JSON file, in words for its user.

/// Half a sentence on an error of `JSONDecoder`: "'images[0].width' is missing".
/// - Parameters:
///   - data: The file.
///   - numbers: What its numbers have to be, as a clause; said where one is something else, since the decoder does not say which.
package func jsonProblem(_ error: any Error, in data: Data, needs numbers: String) -> String {
    func place(_ path: [any CodingKey]) -> String {
        path.reduce("") { text, key in
            key.intValue.map { "\(text)[\($0)]" } ?? (text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)")
        }
    }
    func at(_ context: DecodingError.Context) -> String {
        context.codingPath.isEmpty ? "the whole file" : "'\(place(context.codingPath))'"
    }
    switch error as? DecodingError {
    case .keyNotFound(let key, let context): return "'\(place(context.codingPath + [key]))' is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
        return "\(at(context)) has the wrong type"
    case .dataCorrupted(let context) where context.codingPath.isEmpty:
        // Numbers that do not fit come without a place, as text that is not JSON does.
        let isJSON = (try? JSONDecoder().decode(Anything.self, from: data)) != nil
        return isJSON ? "a number in it does not fit (\(numbers))" : "it is not JSON, or ends too early"
    case .dataCorrupted(let context): return "\(at(context)) is not valid"
    default: return "it does not have the expected form"
    }
}

/// Any JSON: the decoder reads all of a text before it asks for values.
private struct Anything: Decodable {
    init(from decoder: any Decoder) {}
}
