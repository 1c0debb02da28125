import SegNetImages

/// What a look at every file of a data set found: what is wrong, and how often each class occurs.
public struct DatasetReport: Sendable, Hashable, Codable {
    /// One split's pictures and classes.
    public struct Split: Sendable, Hashable, Codable {
        /// `train`, `val`, `test`.
        public var name: String
        /// Pictures that the split has.
        public var pictures: Int
        /// Counted over the pictures that could be read.
        public var classes: [ClassCount]
        /// Pixels without ground truth.
        public var ignoredPixels: Int
    }

    /// How often a class occurs in a split.
    public struct ClassCount: Sendable, Hashable, Codable {
        public var name: String
        /// Labelled pixels of the class.
        public var pixels: Int
        /// Pictures that show it.
        public var pictures: Int
    }

    public var dataset: String
    /// In the order train, val, test, then by name.
    public var splits: [Split] = []
    /// What is wrong, in full sentences that begin with the file or the split.
    public var problems: [String] = []
    /// What is not wrong in itself but often unintended, likewise.
    public var warnings: [String] = []
    /// What may be as it should be, likewise.
    public var notes: [String] = []
}

extension Dataset {
    /// The names of the splits: train, val, test, then others by name.
    public var splitNames: [String] {
        let order = ["train", "val", "test"]
        return splits.keys.sorted {
            (order.firstIndex(of: $0) ?? order.count, $0) < (order.firstIndex(of: $1) ?? order.count, $1)
        }
    }

    /// Reads every picture and every label, and finds files that cannot be read, sizes that differ, labels without meaning or of one class
    /// alone, the same picture in two splits or under two names, and labels in the place of pictures. Only fingerprints and
    /// thumbnails stay in memory.
    /// - Parameter progress: Called before each sample with its split.
    public func checked(progress: (_ split: String, Sample) -> Void = { _, _ in }) -> DatasetReport {
        var report = DatasetReport(dataset: name)
        report.problems = problems
        var known: [Fingerprint: (split: String, sample: Sample, labels: Fingerprint)] = [:]
        var thumbnails = Thumbnails()
        var findings = DatasetFindings(classes: classes, canShift: rule.acceptsOffset)
        for split in splitNames {
            let samples = splits[split] ?? []
            findings.addRepeated(samples, split)
            var frequencies = ClassFrequencies(classCount: classes.classes.count)
            for sample in samples {
                progress(split, sample)
                do {
                    let example = try example(sample)
                    frequencies.add(example.labels)
                    findings.add(example, sample, split)
                    if undivided != nil { thumbnails.add(example, sample) }
                    if sample.isItsOwnLabel(example, mergesLabels: !rule.mapping.isEmpty) {
                        findings.addOwnLabel(sample)
                    }
                    let (picture, labels) = (Fingerprint(pictureOf: example), Fingerprint(labelsOf: example))
                    if let other = known[picture], other.split != split {
                        report.problems.append(
                            "\(sample.name) of \(split): is the same picture as \(other.sample.name) of \(other.split); a model that is "
                                + "judged on what it learnt from looks better than it is. Take it out of one of them."
                        )
                    } else if let other = known[picture] {
                        findings.addEqual(sample, other.sample, split, labelsDiffer: other.labels != labels)
                    } else {
                        known[picture] = (split, sample, labels)
                    }
                } catch {
                    report.problems.append("\(error)")
                }
            }
            findings.add(frequencies, split)
            let counts = zip(classes.classes, zip(frequencies.pixels, frequencies.pictures)).map {
                DatasetReport.ClassCount(name: $0.name, pixels: $1.0, pictures: $1.1)
            }
            report.splits.append(
                DatasetReport.Split(
                    name: split,
                    pictures: samples.count,
                    classes: counts,
                    ignoredPixels: frequencies.ignoredPixels
                )
            )
        }
        findings.finish()
        report.problems += findings.problems
        report.warnings = warnings + findings.warnings
        if let undivided, thumbnails.areFrames(undivided, validation: splits["val"] ?? []) {
            report.notes.append(
                "val: its pictures were chosen evenly from all of train, and most look much like the pictures next to them, as frames of "
                    + "a video do. If they are, the scores flatter the model: give whole drives or places a split of their own (images/val "
                    + "and labels/val, or val.txt)."
            )
        }
        return report
    }
}

extension Sample {
    /// Whether its picture is its label, as numbers or as colours: then the label lies where the photo should.
    fileprivate func isItsOwnLabel(_ example: Example, mergesLabels: Bool) -> Bool {
        guard case .files(_, let label) = source, (1...4).contains(example.channels) else { return false }
        // A photo has more colours than labels have numbers after a few rows: only few pictures are read a second time.
        // Where a class has more than one colour, and no two labels were made one class, it is none. Void may stand for many labels.
        var colors: Set<UInt32> = []
        var colorOfClass: [UInt16: UInt32] = [:]
        var last: (color: UInt32, id: UInt16)?
        for (index, id) in example.labels.enumerated() {
            var color: UInt32 = 0
            for value in example.pixels[index * example.channels..<(index + 1) * example.channels] {
                color = color << 8 | UInt32(value)
            }
            if let last, last == (color, id) { continue }
            last = (color, id)
            if colors.insert(color).inserted, colors.count > 256 { return false }
            if !mergesLabels, id != Example.ignored, let known = colorOfClass.updateValue(color, forKey: id),
                known != color
            {
                return false
            }
        }
        guard let picture = try? Image(example), let painted = try? Image(path: label) else { return false }
        if picture.rgb() == painted.rgb() { return true }
        guard let numbers = try? LabelMap(path: label) else { return false }
        let rgb = picture.rgb().pixels
        return numbers.width == picture.width && numbers.height == picture.height
            && numbers.ids.indices.allSatisfy { index in
                (3 * index..<3 * index + 3).allSatisfy { UInt16(rgb[$0]) == numbers.ids[index] }
            }
    }
}

extension Image {
    /// The picture of an example, without its further planes.
    fileprivate init(_ example: Example) throws(ImageError) {
        try self.init(
            width: example.width,
            height: example.height,
            channels: example.channels,
            pixels: example.pixels
        )
    }
}

/// 128 bits of a picture's samples and its size, or of its labels: the same in every process, and never equal by chance in practice.
private struct Fingerprint: Hashable {
    private var first: UInt64 = 0xCBF2_9CE4_8422_2325
    private var second: UInt64

    init(labelsOf example: Example) {
        second = 0
        example.labels.withUnsafeBytes { add($0) }
    }

    init(pictureOf example: Example) {
        second = UInt64(example.width) << 32 | UInt64(example.height)
        example.pixels.withUnsafeBytes { add($0) }
        for plane in example.planes { plane.withUnsafeBytes { add($0) } }
    }

    private mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var offset = 0
        while offset < bytes.count {
            var word: UInt64 = 0
            if offset + 8 <= bytes.count {
                word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            } else {
                for index in offset..<bytes.count { word = word << 8 | UInt64(bytes[index]) }
            }
            first = (first ^ word) &* 0x9E37_79B9_7F4A_7C15
            first ^= first >> 29
            second = (second &+ word) &* 0xBF58_476D_1CE4_E5B9
            second ^= second >> 32
            offset += 8
        }
    }
}
