import ArgumentParser
import SegNetToolkit

/// The names in an option's value, with commas between them: `mask,color`.
/// - Parameter option: The option that the error names; nil where the parser of arguments does.
/// - Throws: `ValidationError` where a name is missing.
func nameList(_ list: String, of option: String? = nil) throws(ValidationError) -> [String] {
    let names = commaSeparated(list)
    guard !names.contains("") else {
        let place = option.map { "Please correct '\($0) \(list)'. " } ?? ""
        throw ValidationError(place + "A name is missing before or after a comma; leave spaces out, or quote the list.")
    }
    return names
}
