/// The header of a safetensors file: a JSON object that says where each tensor lies.
///
/// Read by a scanner of our own: it knows the few shapes that the header may have, refuses a name that occurs twice (of
/// which JSON readers keep either), and takes no more memory than what it returns.
struct SafetensorsHeader {
    struct Entry {
        let name: String
        /// `F32`, `F16`, `I64`, ...
        let type: String
        let shape: [Int]
        /// Offsets into the data after the header.
        let begin: Int
        let end: Int
    }

    var entries: [Entry] = []
    var metadata: [String: String] = [:]

    /// What is wrong with the header, and at which of its bytes.
    struct HeaderError: Error {
        let offset: Int
        let problem: String
    }

    /// Real files have some thousand tensors. More only come from files made to exhaust memory.
    private static let greatestTensorCount = 100_000

    init(_ bytes: UnsafeRawBufferPointer) throws(HeaderError) {
        var scanner = JSONScanner(bytes: bytes)
        var names: Set<String> = []
        try scanner.object { (key, scanner) throws(HeaderError) in
            guard names.insert(key).inserted else { throw scanner.error("the name '\(key)' occurs twice") }
            if key == "__metadata__" {
                try scanner.object { (key, scanner) throws(HeaderError) in
                    let value = try scanner.string()
                    guard metadata.updateValue(value, forKey: key) == nil else {
                        throw scanner.error("the metadata '\(key)' occurs twice")
                    }
                }
                return
            }
            guard entries.count < Self.greatestTensorCount else {
                throw scanner.error("there are more than \(Self.greatestTensorCount) tensors")
            }
            entries.append(try Self.entry(key, &scanner))
        }
        try scanner.end()
    }

    private static func entry(_ name: String, _ scanner: inout JSONScanner) throws(HeaderError) -> Entry {
        var type: String?
        var shape: [Int]?
        var offsets: [Int]?
        try scanner.object { (key, scanner) throws(HeaderError) in
            switch key {
            case "dtype" where type == nil: type = try scanner.string()
            case "shape" where shape == nil: shape = try scanner.integers()
            case "data_offsets" where offsets == nil: offsets = try scanner.integers()
            default: throw scanner.error("tensor '\(name)' has the unexpected or repeated field '\(key)'")
            }
        }
        guard let type, let shape, let offsets, offsets.count == 2 else {
            throw scanner.error("tensor '\(name)' lacks its dtype, shape or two data_offsets")
        }
        return Entry(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
    }

    /// A strict reader of the JSON that a safetensors header may hold: objects, strings, lists of whole numbers.
    private struct JSONScanner {
        let bytes: UnsafeRawBufferPointer
        var position = 0

        func error(_ problem: String) -> HeaderError { HeaderError(offset: position, problem: problem) }

        private mutating func skipSpace() {
            while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
        }

        private mutating func take(_ letter: Character) throws(HeaderError) {
            guard try takes(letter) else {
                throw error(position < bytes.count ? "'\(letter)' was needed" : "the header breaks off")
            }
        }

        private mutating func takes(_ letter: Character) throws(HeaderError) -> Bool {
            skipSpace()
            guard position < bytes.count, bytes[position] == letter.asciiValue else { return false }
            position += 1
            return true
        }

        /// Calls `body` before each value with its key.
        mutating func object(_ body: (String, inout JSONScanner) throws(HeaderError) -> Void) throws(HeaderError) {
            try take("{")
            if try takes("}") { return }
            repeat {
                let key = try string()
                try take(":")
                try body(key, &self)
            } while try takes(",")
            try take("}")
        }

        mutating func integers() throws(HeaderError) -> [Int] {
            try take("[")
            var values: [Int] = []
            if try takes("]") { return values }
            repeat {
                skipSpace()
                let start = position
                var value = 0
                while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
                    let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
                    let (sum, carry) = tens.addingReportingOverflow(Int(bytes[position] - 0x30))
                    guard !overflow, !carry else { throw error("a number is too large") }
                    value = sum
                    position += 1
                }
                guard position > start, values.count < 64 else { throw error("a whole number was needed") }
                values.append(value)
            } while try takes(",")
            try take("]")
            return values
        }

        mutating func string() throws(HeaderError) -> String {
            try take("\"")
            var letters: [UInt8] = []
            while true {
                guard position < bytes.count else { throw error("a string is not closed") }
                let letter = bytes[position]
                position += 1
                switch letter {
                case UInt8(ascii: "\""):
                    guard let text = String(validating: letters, as: UTF8.self) else {
                        throw error("a string is not UTF-8")
                    }
                    return text
                case UInt8(ascii: "\\"): letters += try escape()
                case 0..<0x20: throw error("a string holds a control character")
                default: letters.append(letter)
                }
            }
        }

        /// The letters that stand for what follows a backslash.
        private mutating func escape() throws(HeaderError) -> [UInt8] {
            guard position < bytes.count else { throw error("a string is not closed") }
            let letter = bytes[position]
            position += 1
            switch letter {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [letter]
            case UInt8(ascii: "b"): return [8]
            case UInt8(ascii: "f"): return [12]
            case UInt8(ascii: "n"): return [10]
            case UInt8(ascii: "r"): return [13]
            case UInt8(ascii: "t"): return [9]
            case UInt8(ascii: "u"):
                var code = try fourHexDigits()
                // Beyond the first 65536 characters JSON writes two halves.
                if (0xd800..<0xdc00).contains(code), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                    bytes[position + 1] == UInt8(ascii: "u")
                {
                    position += 2
                    let low = try fourHexDigits()
                    guard (0xdc00..<0xe000).contains(low) else { throw error("half of a character is missing") }
                    code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
                }
                guard let scalar = UnicodeScalar(code) else { throw error("half of a character is missing") }
                return Array(String(Character(scalar)).utf8)
            default: throw error("an unknown escape")
            }
        }

        private mutating func fourHexDigits() throws(HeaderError) -> UInt32 {
            guard position + 4 <= bytes.count else { throw error("a string is not closed") }
            var code: UInt32 = 0
            for offset in 0..<4 {
                let letter = Character(UnicodeScalar(bytes[position + offset]))
                guard let digit = letter.hexDigitValue, letter.isASCII else { throw error("an unknown escape") }
                code = code << 4 | UInt32(digit)
            }
            position += 4
            return code
        }

        /// Nothing but spaces may follow.
        mutating func end() throws(HeaderError) {
            skipSpace()
            guard position == bytes.count else { throw error("something follows the header's last brace") }
        }
    }
}
