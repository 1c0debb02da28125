/// Boxes of ISO's media format, as HEIC and AVIF have them: a size, a type, and bytes or further boxes.
public struct MediaBox: Sendable {
    public var type: [UInt8]
    /// The bytes before the inner boxes; all bytes if there are none.
    public var data: [UInt8]
    public var boxes: [MediaBox] = []
    /// A size that is set is written as it stands, right or wrong.
    var declaredSize: UInt64?

    /// The boxes that hold others, and how many bytes come before those.
    private static let holders: [String: Int] = [
        "meta": 4, "iprp": 0, "ipco": 0, "dinf": 0, "iinf": 6, "iref": 4, "moov": 0,
    ]

    /// Reads boxes one behind the other; nil if a size is wrong, or bytes are left over.
    public static func parse(_ bytes: [UInt8], depth: Int = 0) -> [MediaBox]? {
        var boxes: [MediaBox] = []
        var place = 0
        while place < bytes.count {
            guard let size = bytes.number(at: place, bytes: 4, bigEndian: true), size >= 8,
                Int(size) <= bytes.count - place
            else { return nil }
            let type = Array(bytes[place + 4..<place + 8])
            let content = Array(bytes[place + 8..<place + Int(size)])
            var box = MediaBox(type: type, data: content)
            if let head = holders[String(decoding: type, as: UTF8.self)], head <= content.count, depth < 8,
                let inner = parse(Array(content[head...]), depth: depth + 1)
            {
                box.data = Array(content[..<head])
                box.boxes = inner
            }
            boxes.append(box)
            place += Int(size)
        }
        return boxes
    }

    /// The file.
    public static func write(_ boxes: [MediaBox]) -> [UInt8] {
        var out: [UInt8] = []
        for box in boxes {
            let content = box.data + write(box.boxes)
            let size = box.declaredSize ?? UInt64(content.count + 8)
            out += [UInt8].number(size, bytes: 4, bigEndian: true)
            out += box.type
            out += content
        }
        return out
    }
}

/// Damages HEIC and AVIF by their boxes.
struct BoxMutator: Mutator {
    private static let types = [
        "ftyp", "meta", "hdlr", "pitm", "iloc", "iinf", "infe", "iprp", "ipco", "ispe", "hvcC", "av1C", "colr", "pixi",
        "irot", "imir", "clap", "auxC", "ipma", "iref", "idat", "mdat", "grid", "moov", "XXXX",
    ]

    func changeStructure(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        guard var boxes = MediaBox.parse(bytes) else { return bytes }
        change(&boxes, &random) { box, random in
            switch random.below(4) {
            case 0: box.type = Array((random.pick(Self.types) ?? "meta").utf8)
            case 1: box.declaredSize = random.interesting(near: UInt64(box.data.count + 8))
            case 2: box.data += random.bytes(1 + random.below(16))
            default: box.data.removeLast(min(box.data.count, 1 + random.below(8)))
            }
        } disorder: { boxes, random in
            boxes.disorder(&random)
        }
        return MediaBox.write(boxes)
    }

    /// Bytes of one box; all sizes stay.
    func changePayload(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        guard var boxes = MediaBox.parse(bytes) else { return bytes }
        change(&boxes, &random) { box, random in
            if box.type == Array("ispe".utf8), random.oneIn(2) {
                let place = 4 + 4 * random.below(2)
                box.data.set(random.interesting(near: 45), at: place, bytes: 4, bigEndian: true)
            } else {
                random.changeBytes(&box.data)
            }
        } disorder: { _, _ in
        }
        return MediaBox.write(boxes)
    }

    /// Goes down to a box by chance, and changes it or the list it is in.
    private func change(
        _ boxes: inout [MediaBox],
        _ random: inout FuzzRandom,
        box change: (inout MediaBox, inout FuzzRandom) -> Void,
        disorder: (inout [MediaBox], inout FuzzRandom) -> Void
    ) {
        guard let one = random.pick(boxes.indices) else { return }
        // Most of a file is inside: go there most often.
        let holders = boxes.indices.filter { !boxes[$0].boxes.isEmpty }
        if let holder = random.pick(holders), !random.oneIn(4) {
            self.change(&boxes[holder].boxes, &random, box: change, disorder: disorder)
        } else if random.oneIn(3) {
            disorder(&boxes, &random)
        } else {
            change(&boxes[one], &random)
        }
    }
}
