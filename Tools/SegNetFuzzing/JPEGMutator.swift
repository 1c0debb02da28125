/// A JPEG as its marker segments, with the entropy-coded bytes that follow a scan's header.
public struct JPEGSegments: Sendable {
    /// One segment. A length that is set is written as it stands, right or wrong.
    public struct Segment: Sendable {
        /// The byte after 0xFF.
        public var marker: UInt8
        /// The bytes after the length; nil for the markers without one (SOI, EOI).
        public var payload: [UInt8]?
        /// Entropy-coded data with stuffing and restart markers, after SOS only.
        public var entropy: [UInt8] = []
        var declaredLength: UInt16?
    }

    public var segments: [Segment] = []

    /// Reads the segments; nil if the markers or lengths are wrong, or bytes are left over.
    public init?(_ bytes: [UInt8]) {
        var place = 0
        while place < bytes.count {
            guard place + 2 <= bytes.count, bytes[place] == 0xFF else { return nil }
            var segment = Segment(marker: bytes[place + 1])
            place += 2
            if segment.marker == 0xD8 || segment.marker == 0xD9 {
                segments.append(segment)
                if segment.marker == 0xD9 { break }
                continue
            }
            guard place + 2 <= bytes.count else { return nil }
            let length = Int(bytes[place]) << 8 | Int(bytes[place + 1])
            guard length >= 2, place + length <= bytes.count else { return nil }
            segment.payload = Array(bytes[(place + 2)..<(place + length)])
            place += length
            if segment.marker == 0xDA {
                let start = place
                while place < bytes.count {
                    let next = place + 1 < bytes.count ? bytes[place + 1] : 0
                    if bytes[place] == 0xFF, next != 0, !(0xD0...0xD7).contains(next) { break }
                    place += 1
                }
                segment.entropy = Array(bytes[start..<place])
            }
            segments.append(segment)
        }
        guard place == bytes.count, segments.first?.marker == 0xD8, segments.last?.marker == 0xD9 else { return nil }
    }

    /// The file.
    public var bytes: [UInt8] {
        var out: [UInt8] = []
        for segment in segments {
            out += [0xFF, segment.marker]
            if let payload = segment.payload {
                let length = segment.declaredLength ?? UInt16(truncatingIfNeeded: payload.count + 2)
                out += [UInt8(length >> 8), UInt8(length & 0xFF)] + payload
            }
            out += segment.entropy
        }
        return out
    }
}

struct JPEGMutator: Mutator {
    func changeStructure(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        guard var jpeg = JPEGSegments(bytes) else { return bytes }
        let one = random.below(jpeg.segments.count)
        switch random.below(10) {
        case 0...3: jpeg.segments.disorder(&random)
        case 4:
            // Another kind of frame, table, scan or application segment.
            let markers: [UInt8] = [0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC9, 0xCC, 0xDA, 0xDB, 0xDD, 0xE0, 0xE1, 0xEE, 0xFE]
            jpeg.segments[one].marker = random.oneIn(3) ? random.byte() : markers[random.below(markers.count)]
        case 5:
            let right = UInt64((jpeg.segments[one].payload?.count ?? 0) + 2)
            jpeg.segments[one].declaredLength = UInt16(truncatingIfNeeded: random.interesting(near: right))
        case 6, 7: changeFrame(&jpeg, &random)
        case 8:
            var added = JPEGSegments.Segment(marker: [0xE0, 0xE1, 0xE2, 0xEE, 0xFE, 0xDD][random.below(6)])
            added.payload = random.bytes(random.below(random.oneIn(8) ? 65_000 : 64))
            jpeg.segments.insert(added, at: one)
        default:
            // A restart marker where none belongs.
            if let scan = scans(jpeg, &random) {
                let place = random.below(jpeg.segments[scan].entropy.count + 1)
                jpeg.segments[scan].entropy.insert(contentsOf: [0xFF, 0xD0 + UInt8(random.below(8))], at: place)
            }
        }
        return jpeg.bytes
    }

    func changePayload(_ bytes: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        guard var jpeg = JPEGSegments(bytes) else { return bytes }
        if random.oneIn(2), let scan = scans(jpeg, &random) {
            // Other coefficients: a changed byte may not become a marker, so 0xFF gets its stuffing.
            var entropy = jpeg.segments[scan].entropy
            for _ in 0..<(1 + random.below(6)) where !entropy.isEmpty {
                let place = random.below(entropy.count)
                guard entropy[place] != 0xFF, place == 0 || entropy[place - 1] != 0xFF else { continue }
                let byte = random.byte()
                entropy.replaceSubrange(place...place, with: byte == 0xFF ? [0xFF, 0] : [byte])
            }
            jpeg.segments[scan].entropy = entropy
        } else if random.oneIn(5) {
            changeFrame(&jpeg, &random)
        } else {
            let filled = jpeg.segments.indices.filter { jpeg.segments[$0].payload?.isEmpty == false }
            if let one = random.pick(filled), var payload = jpeg.segments[one].payload {
                random.changeBytes(&payload)
                jpeg.segments[one].payload = payload
            }
        }
        return jpeg.bytes
    }

    private func scans(_ jpeg: JPEGSegments, _ random: inout FuzzRandom) -> Int? {
        random.pick(jpeg.segments.indices.filter { !jpeg.segments[$0].entropy.isEmpty })
    }

    /// Another precision, height, width, component count or sampling.
    private func changeFrame(_ jpeg: inout JPEGSegments, _ random: inout FuzzRandom) {
        let isFrame = { (marker: UInt8) in (0xC0...0xCF).contains(marker) && ![0xC4, 0xC8, 0xCC].contains(marker) }
        guard let frame = jpeg.segments.firstIndex(where: { isFrame($0.marker) }),
            var payload = jpeg.segments[frame].payload, payload.count > 6
        else { return }
        switch random.below(3) {
        case 0: payload[random.below(payload.count)] = random.byte()
        default:
            let place = random.oneIn(2) ? 1 : 3
            let now = UInt64(payload[place]) << 8 | UInt64(payload[place + 1])
            let value = random.interesting(near: now)
            payload[place] = UInt8(truncatingIfNeeded: value >> 8)
            payload[place + 1] = UInt8(truncatingIfNeeded: value)
        }
        jpeg.segments[frame].payload = payload
    }
}
