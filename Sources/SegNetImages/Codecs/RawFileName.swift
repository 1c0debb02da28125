import SegNetPlatform

/// File names of any bytes as Swift strings, which hold UTF-8 alone: a byte that is not UTF-8 becomes one of the last private characters of
/// Unicode, and that byte again where a file is opened.
package enum RawFileName {
    /// The character of the byte 0; no font, and hardly a file, has it.
    private static let base: UInt32 = 0x10FF00

    /// A name or path from its bytes.
    package static func text(_ bytes: some Collection<UInt8>) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var text = String.UnicodeScalarView()
        var parser = Unicode.UTF8.ForwardParser()
        var rest = bytes.makeIterator()
        var place = bytes.startIndex
        while true {
            switch parser.parseScalar(from: &rest) {
            case .valid(let encoded):
                text.append(Unicode.UTF8.decode(encoded))
                place = bytes.index(place, offsetBy: encoded.count)
            case .error(let length):
                for _ in 0..<length {
                    if let scalar = Unicode.Scalar(base + UInt32(bytes[place])) { text.append(scalar) }
                    place = bytes.index(after: place)
                }
            case .emptyInput: return String(text)
            }
        }
    }

    /// Whether a name has bytes that are not UTF-8.
    package static func isRaw(_ text: String) -> Bool { text.unicodeScalars.contains { byte($0) != nil } }

    /// A name as people can read it, on one line: `caf%E9.jpg`. Bytes that are not UTF-8 and control characters are shown in hexadecimal: a
    /// line feed would make two lines of a name, and an escape character could change the terminal's colours. In such names, a percent sign
    /// in front of two hexadecimal digits is shown as `%25`, so that no two of them look the same.
    package static func display(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value >= base || isControl($0) }) else { return text }
        var shown = ""
        let scalars = Array(text.unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            let isPercent = scalar == "%" && scalars.dropFirst(index + 1).prefix(2).count(where: isHexadecimal) == 2
            let bytes =
                byte(scalar).map { [$0] } ?? (isControl(scalar) || isPercent ? Array("\(scalar)".utf8) : [])
            if bytes.isEmpty { shown.unicodeScalars.append(scalar) }
            for byte in bytes { shown += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true) }
        }
        return shown
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory == .control }

    /// The file system's bytes, with the 0 at their end.
    package static func withPath<Result>(_ text: String, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        guard text.unicodeScalars.contains(where: { $0.value >= base }) else { return text.withCString(body) }
        var bytes: [CChar] = []
        for scalar in text.unicodeScalars {
            if let byte = byte(scalar) {
                bytes.append(CChar(bitPattern: byte))
            } else {
                bytes += Unicode.UTF8.encode(scalar).map { Array($0) }?.map { CChar(bitPattern: $0) } ?? []
            }
        }
        return (bytes + [0]).withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return "".withCString(body) }
            return body(start)
        }
    }

    private static func isHexadecimal(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && scalar.properties.isASCIIHexDigit
    }

    private static func byte(_ scalar: Unicode.Scalar) -> UInt8? {
        // Bytes below 128 are UTF-8.
        (base + 128...base + 255).contains(scalar.value) ? UInt8(scalar.value - base) : nil
    }

    /// What a folder holds, without `.` and `..`, in no order; nil if it cannot be read.
    package static func names(in folder: String) -> [String]? {
        guard let listing = withPath(folder, { opendir($0) }) else { return nil }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: UInt8.self, capacity: MemoryLayout.size(ofValue: tuple.pointee)) { start in
                    text(
                        UnsafeBufferPointer(
                            start: start,
                            count: strlen(UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))
                        )
                    )
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The arguments of the program, without its own name.
    package static var arguments: [String] {
        (1..<max(1, Int(CommandLine.argc))).compactMap { index in
            CommandLine.unsafeArgv[index].map { word in
                word.withMemoryRebound(to: UInt8.self, capacity: strlen(word)) {
                    text(UnsafeBufferPointer(start: $0, count: strlen(word)))
                }
            }
        }
    }
}
