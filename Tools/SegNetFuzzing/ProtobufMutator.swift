/// A protobuf message as a tree of fields, without its schema.
///
/// Bytes that parse as a message count as one, down to a few levels: a guess that is nearly always right for Caffe's files,
/// and harmless where it is wrong, because writing the tree gives the same bytes back.
public struct ProtobufField: Sendable {
    public enum Value: Sendable {
        case varint(UInt64)
        case fixed64([UInt8])
        case fixed32([UInt8])
        case bytes([UInt8])
        case message([ProtobufField])
        /// Written as it stands behind the key: wrong lengths and groups.
        case raw(wireType: UInt64, [UInt8])
    }

    public var number: UInt64
    public var value: Value

    public init(number: UInt64, value: Value) {
        self.number = number
        self.value = value
    }

    /// Reads a whole message; nil if its bytes are not a message.
    public static func parse(_ bytes: [UInt8], depth: Int = 8) -> [ProtobufField]? {
        parse(bytes[...], depth: depth)
    }

    private static func parse(_ bytes: ArraySlice<UInt8>, depth: Int) -> [ProtobufField]? {
        var fields: [ProtobufField] = []
        var rest = bytes
        while !rest.isEmpty {
            guard let key = varint(&rest), key >> 3 > 0, key >> 3 < 5000 else { return nil }
            let value: Value
            switch key & 7 {
            case 0:
                guard let number = varint(&rest) else { return nil }
                value = .varint(number)
            case 1, 5:
                let count = key & 7 == 1 ? 8 : 4
                guard rest.count >= count else { return nil }
                let content = Array(rest.prefix(count))
                value = count == 8 ? .fixed64(content) : .fixed32(content)
                rest = rest.dropFirst(count)
            case 2:
                guard let count = varint(&rest), count <= UInt64(rest.count) else { return nil }
                let content = rest.prefix(Int(count))
                rest = rest.dropFirst(Int(count))
                if depth > 0, content.count > 1, let inner = parse(content, depth: depth - 1),
                    write(inner).elementsEqual(content)
                {
                    value = .message(inner)
                } else {
                    value = .bytes(Array(content))
                }
            default: return nil
            }
            fields.append(ProtobufField(number: key >> 3, value: value))
        }
        return fields
    }

    /// The message's bytes, all lengths right.
    public static func write(_ fields: [ProtobufField]) -> [UInt8] {
        var out: [UInt8] = []
        for field in fields {
            switch field.value {
            case .varint(let number): out += varint(field.number << 3) + varint(number)
            case .fixed64(let content): out += varint(field.number << 3 | 1) + content
            case .fixed32(let content): out += varint(field.number << 3 | 5) + content
            case .bytes(let content): out += varint(field.number << 3 | 2) + varint(UInt64(content.count)) + content
            case .message(let inner):
                let content = write(inner)
                out += varint(field.number << 3 | 2) + varint(UInt64(content.count)) + content
            case .raw(let wireType, let content): out += varint(field.number << 3 | wireType) + content
            }
        }
        return out
    }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    static func varint(_ value: UInt64) -> [UInt8] {
        var out: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            out.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return out + [UInt8(rest)]
    }
}

struct ProtobufMutator: Mutator {
    func changeStructure(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        guard var fields = ProtobufField.parse(bytes) else { return bytes }
        Self.changeSomewhere(&fields, &random, Self.disorder)
        return ProtobufField.write(fields)
    }

    func changePayload(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        guard var fields = ProtobufField.parse(bytes) else { return bytes }
        for _ in 0..<(1 + random.below(4)) { Self.changeSomewhere(&fields, &random, Self.changeValue) }
        return ProtobufField.write(fields)
    }

    /// Goes down a random way and applies the change to the message where it ends.
    private static func changeSomewhere(
        _ fields: inout [ProtobufField],
        _ random: inout FuzzRandom,
        _ change: (inout [ProtobufField], inout FuzzRandom) -> Void
    ) {
        let deeper = fields.indices.filter { if case .message = fields[$0].value { true } else { false } }
        if let place = random.pick(deeper), !random.oneIn(4), case .message(var inner) = fields[place].value {
            changeSomewhere(&inner, &random, change)
            fields[place].value = .message(inner)
        } else {
            change(&fields, &random)
        }
    }

    private static func disorder(_ fields: inout [ProtobufField], _ random: inout FuzzRandom) {
        guard let place = random.pick(fields.indices) else { return }
        let content: [UInt8]
        switch fields[place].value {
        case .bytes(let bytes): content = bytes
        case .message(let inner): content = ProtobufField.write(inner)
        case .fixed32(let bytes), .fixed64(let bytes): content = bytes
        case .varint(let number): content = ProtobufField.varint(number)
        case .raw(_, let bytes): content = bytes
        }
        switch random.below(9) {
        case 0...3: fields.disorder(&random)
        case 4:
            fields[place].number = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 100, 106, 110, 139, 4999, 1 << 29][random.below(16)]
        case 5:
            // A length that is not the content's.
            let length = random.interesting(near: UInt64(content.count))
            fields[place].value = .raw(wireType: 2, ProtobufField.varint(length) + content)
        case 6: fields[place].value = .raw(wireType: UInt64(random.below(8)), content)
        case 7:
            // A varint that never ends, or a length of more than 64 bits.
            let endless = [UInt8](repeating: 0xFF, count: 1 + random.below(20))
            fields[place].value = .raw(wireType: random.oneIn(2) ? 0 : 2, endless)
        default:
            // A message in itself, deeper than a reader should follow.
            var inner = content
            for _ in 0..<(random.oneIn(2) ? 150 : 1 + random.below(1500)) {
                inner =
                    ProtobufField.varint(fields[place].number << 3 | 2) + ProtobufField.varint(UInt64(inner.count))
                    + inner
            }
            fields[place].value = .bytes(inner)
        }
    }

    private static func changeValue(_ fields: inout [ProtobufField], _ random: inout FuzzRandom) {
        guard let place = random.pick(fields.indices) else { return }
        switch fields[place].value {
        case .varint(let number): fields[place].value = .varint(random.interesting(near: number))
        case .fixed64(var content):
            random.changeBytes(&content)
            fields[place].value = .fixed64(content)
        case .fixed32: fields[place].value = .fixed32(float(&random))
        case .bytes(var content):
            let isText = content.allSatisfy { $0 >= 32 && $0 < 127 }
            if isText || content.count % 4 != 0 {
                if random.oneIn(4) { content = random.bytes(random.below(64)) } else { random.changeBytes(&content) }
            } else {
                for _ in 0..<(1 + random.below(8)) where content.count >= 4 {
                    let start = random.below(content.count / 4) * 4
                    content.replaceSubrange(start..<(start + 4), with: float(&random))
                }
            }
            fields[place].value = .bytes(content)
        case .message(var inner):
            changeValue(&inner, &random)
            fields[place].value = .message(inner)
        case .raw: break
        }
    }

    private static func float(_ random: inout FuzzRandom) -> [UInt8] {
        let values: [Float] = [
            0, -1, .infinity, -.infinity, .nan, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 0.5,
        ]
        let bits = (random.pick(values) ?? 0).bitPattern
        return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt32($0))) }
    }
}
