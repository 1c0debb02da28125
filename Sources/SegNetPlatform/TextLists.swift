// Lists that people write: with commas in an option, or one entry per line of a file.

/// The entries between the commas of a text, without the spaces around each; an entry is empty where nothing stands.
package func commaSeparated(_ text: some StringProtocol) -> [String] {
    text.split(separator: ",", omittingEmptySubsequences: false).map { trimmed($0) }
}

/// The entries of a list file, each a line with its number, from 1: without empty lines, comments (`#`) and the spaces around each.
package func listEntries(_ text: String) -> [(line: Int, text: String)] {
    text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
        .map { (line: $0.offset + 1, text: trimmed($0.element)) }
        .filter { !$0.text.isEmpty && !$0.text.hasPrefix("#") }
}

/// The text of a file, without the byte-order mark with which some editors begin it.
package func fileText(_ data: Data) -> String { String(decoding: withoutByteOrderMark(data), as: UTF8.self) }

/// The bytes of a text behind the byte-order mark with which some editors begin it.
package func withoutByteOrderMark(_ data: Data) -> Data {
    data.starts(with: [0xEF, 0xBB, 0xBF]) ? data.dropFirst(3) : data
}

/// `1 picture`, `3 pictures`.
/// - Parameter plural: The noun for any other number than 1; by default with an s.
package func counted(_ count: Int, _ noun: String, plural: String? = nil) -> String {
    "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
}

/// Without the spaces at both ends.
package func trimmed(_ text: some StringProtocol) -> String {
    let start = text.drop(while: \.isWhitespace)
    return String(start[..<(start.lastIndex { !$0.isWhitespace }.map(start.index(after:)) ?? start.startIndex)])
}
