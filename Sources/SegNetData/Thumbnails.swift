/// Small gray copies of pictures, which tell frames of one video from photos: a frame is much more like the next one than like the others.
struct Thumbnails {
    private static let (columns, rows) = (16, 12)
    /// How many points of a picture each cell is the mean of, in each direction.
    private static let points = 8

    private var cells: [String: [UInt8]] = [:]

    mutating func add(_ example: Example, _ sample: Sample) {
        let channels = example.channels
        guard channels > 0, example.width > 0, example.height > 0 else { return }
        let colors = min(channels, 3)
        func place(_ index: Int, _ count: Int, in length: Int) -> Int { index * length / (count * Self.points) }
        var small: [UInt8] = []
        for row in 0..<Self.rows {
            for column in 0..<Self.columns {
                var sum = 0
                for y in row * Self.points..<(row + 1) * Self.points {
                    let line = place(y, Self.rows, in: example.height) * example.width
                    for x in column * Self.points..<(column + 1) * Self.points {
                        let start = (line + place(x, Self.columns, in: example.width)) * channels
                        for channel in 0..<colors { sum += Int(example.pixels[start + channel]) }
                    }
                }
                small.append(UInt8(sum / (Self.points * Self.points * colors)))
            }
        }
        cells[Self.key(sample)] = small
    }

    /// Whether most pictures for validation look much like one next to them.
    ///
    /// Of CamVid's frames, a second apart, four of five are less than half as far from a neighbour as from most other pictures; of photos
    /// that somebody took on one walk and numbered, one of thirty.
    /// - Parameters:
    ///   - order: All pictures, before those for validation were chosen from them.
    ///   - validation: Those that were chosen. Nothing is said of fewer than four.
    func areFrames(_ order: [Sample], validation: [Sample]) -> Bool {
        let all = order.map { cells[Self.key($0)] }
        let chosen = Set(validation.map(Self.key))
        var (alike, judged) = (0, 0)
        for (index, sample) in order.enumerated() where chosen.contains(Self.key(sample)) {
            guard let own = all[index] else { continue }
            let near = [index - 1, index + 1].filter(all.indices.contains).compactMap { all[$0] }.map {
                Self.distance(own, $0)
            }
            let others = stride(from: 0, to: all.count, by: max(1, all.count / 50)).filter { $0 != index }
                .compactMap { all[$0] }.map { Self.distance(own, $0) }.sorted()
            guard let nearest = near.min(), !others.isEmpty else { continue }
            judged += 1
            if 2 * nearest < others[others.count / 2] { alike += 1 }
        }
        return judged >= 4 && 2 * alike > judged
    }

    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        zip(a, b).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    }

    private static func key(_ sample: Sample) -> String {
        switch sample.source {
        case .files(let images, _): images[0]
        case .annotated(let image, _, _): image
        case .street(let seed): "\(seed)"
        }
    }
}
