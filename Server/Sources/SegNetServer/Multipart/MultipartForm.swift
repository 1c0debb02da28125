/// The parts of a `multipart/form-data` body (RFC 7578) whose size has already been limited.
///
/// This folder does not depend on the rest of the service, and reports errors of its own.
package struct MultipartForm: Sendable, Hashable {
    package struct Part: Sendable, Hashable {
        /// The form field.
        package var name: String
        /// The file's name on the client's machine; nil for text.
        package var fileName: String?
        package var bytes: [UInt8]
    }

    package let parts: [Part]

    /// More parts than any form of ours has.
    package static let mostParts = 256
    private static let mostHeaderBytes = 8192

    /// - Parameters:
    ///   - contentType: The header that names the boundary.
    /// - Throws: `MultipartError`, which says what is wrong with the form.
    package init(_ body: [UInt8], contentType: String) throws(MultipartError) {
        let boundary = try Self.boundary(contentType)
        let delimiter = Array("\r\n--".utf8) + boundary
        var parts: [Part] = []
        // The first delimiter may begin the body, without its line break.
        guard
            var position = body.starts(with: delimiter.dropFirst(2))
                ? delimiter.count - 2 : Self.end(of: delimiter, in: body, from: 0)
        else { throw Self.bad("its boundary '\(String(decoding: boundary, as: UTF8.self))' does not occur in it") }
        while !body[position...].starts(with: Array("--".utf8)) {
            guard let start = Self.lineEnd(body, from: position) else { throw Self.bad("text follows a boundary") }
            guard let next = Self.end(of: delimiter, in: body, from: start - 2) else {
                throw Self.bad("its last part has no end; was it sent whole?")
            }
            guard parts.count < Self.mostParts else { throw Self.bad("it has more than \(Self.mostParts) parts") }
            parts.append(try Self.part(body, from: start, to: max(start, next - delimiter.count)))
            position = next
        }
        self.parts = parts
    }

    /// The parts of a field, whether or not they name a file: programs send pictures without one, too.
    package func files(_ name: String) -> [Part] { parts.filter { $0.name == name } }

    /// Text parts by field name.
    /// - Throws: `MultipartError` for one of `names` that comes twice, is too long or is not UTF-8.
    package func texts(_ names: [String]) throws(MultipartError) -> [String: String] {
        var texts: [String: String] = [:]
        for part in parts where names.contains(part.name) {
            guard part.bytes.count <= 1024, let text = String(validating: part.bytes, as: UTF8.self) else {
                throw Self.bad("its part '\(part.name)' is not a short text")
            }
            guard texts.updateValue(text, forKey: part.name) == nil else {
                throw Self.bad("its part '\(part.name)' is given twice")
            }
        }
        return texts
    }

    private static func bad(_ reason: String) -> MultipartError { MultipartError(reason) }

    // MARK: Pieces

    /// The boundary of a content type: 1...70 characters (RFC 2046, 5.1.1).
    private static func boundary(_ contentType: String) throws(MultipartError) -> [UInt8] {
        guard let value = HeaderParameters(contentType)["boundary"], (1...70).contains(value.utf8.count),
            value.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { throw bad("its Content-Type has no boundary of 1 to 70 characters") }
        return Array(value.utf8)
    }

    /// The position behind the line break that ends a boundary's line, past the blanks that may stand before it.
    private static func lineEnd(_ body: [UInt8], from position: Int) -> Int? {
        var position = position
        while position < body.count, body[position] == UInt8(ascii: " ") || body[position] == UInt8(ascii: "\t") {
            position += 1
        }
        guard position + 1 < body.count, body[position] == 13, body[position + 1] == 10 else { return nil }
        return position + 2
    }

    /// The position behind the first occurrence of a delimiter, which begins with a carriage return.
    private static func end(of delimiter: [UInt8], in body: [UInt8], from start: Int) -> Int? {
        body.withUnsafeBufferPointer { body in
            delimiter.withUnsafeBufferPointer { delimiter in
                var position = start
                while position <= body.count - delimiter.count {
                    if body[position] == delimiter[0] {
                        var matched = 1
                        while matched < delimiter.count, body[position + matched] == delimiter[matched] { matched += 1 }
                        if matched == delimiter.count { return position + matched }
                    }
                    position += 1
                }
                return nil
            }
        }
    }

    /// One part: header lines, an empty line, content.
    private static func part(_ body: [UInt8], from start: Int, to end: Int) throws(MultipartError) -> Part {
        var position = start
        var disposition: String?
        while true {
            guard let lineEnd = line(in: body, from: position, limit: end) else {
                throw bad("a part's header has no end")
            }
            guard lineEnd - start <= mostHeaderBytes else {
                throw bad("a part's header is longer than \(mostHeaderBytes) bytes")
            }
            let line = body[position..<lineEnd]
            position = min(lineEnd + 2, end)
            if line.isEmpty { break }
            guard let text = String(validating: line, as: UTF8.self) else { throw bad("a part's header is not UTF-8") }
            if text.lowercased().hasPrefix("content-disposition:") { disposition = String(text.dropFirst(20)) }
        }
        guard let disposition else { throw bad("a part has no Content-Disposition") }
        let parameters = HeaderParameters(disposition)
        guard parameters.value == "form-data", let name = parameters["name"] else {
            throw bad("a part's Content-Disposition is not 'form-data' with a name")
        }
        return Part(name: name, fileName: parameters["filename"], bytes: Array(body[position..<end]))
    }

    /// The end of the line that begins at a position, before its line break; nil if it has none before the limit.
    private static func line(in body: [UInt8], from start: Int, limit: Int) -> Int? {
        var position = start
        while position + 1 < limit {
            if body[position] == 13, body[position + 1] == 10 { return position }
            position += 1
        }
        return nil
    }
}
