import SegNetData
import SegNetImages
import SegNetNetworks

/// A validation picture for people: the photo, its ground truth and the prediction side by side, both in the colours of the classes.
enum ValidationStrip {
    /// Pixels of one of the three: larger pictures are made smaller, so that a long training's log stays small.
    static let width = 320
    /// Pictures that a validation shows.
    static let count = 3

    /// The samples that every validation shows: evenly over the split, always the same.
    static func chosen(of sampleCount: Int) -> Set<Int> {
        Set((0..<min(count, sampleCount)).map { (2 * $0 + 1) * sampleCount / (2 * min(count, sampleCount)) })
    }

    /// - Parameters:
    ///   - channels: What each channel of the example holds.
    ///   - prediction: Class ids [height, width].
    static func image(_ example: Example, channels: [InputChannel], prediction: [UInt16], classes: ClassTable) throws
        -> Image
    {
        let width = min(self.width, example.width)
        let height = max(1, (example.height * width + example.width / 2) / example.width)
        var table = classes
        table.ignoredIDs = [Int(Example.ignored)]
        let maps = try [example.labels, prediction].map {
            try LabelMap(width: example.width, height: example.height, ids: $0)
                .resized(width: width, height: height, nearest: .center).colored(with: table)
        }
        let photo = try photo(example, channels).resized(
            width: width,
            height: height,
            filter: width < example.width ? .area : .bilinear
        )
        var pixels: [UInt8] = []
        pixels.reserveCapacity(9 * width * height)
        for y in 0..<height {
            for part in [photo] + maps { pixels += part.pixels[y * width * 3..<(y + 1) * width * 3] }
        }
        return try Image(width: 3 * width, height: height, channels: 3, pixels: pixels)
    }

    /// Red, green and blue of an example; the first channel as gray where there are none.
    private static func photo(_ example: Example, _ channels: [InputChannel]) throws -> Image {
        guard example.channels > 0 else {
            let samples = example.planes.first ?? []
            return try Plane(width: example.width, height: example.height, samples: samples).image.rgb()
        }
        let order = [InputChannel].rgb.map { channels.firstIndex(of: $0) ?? 0 }
        var pixels: [UInt8] = []
        pixels.reserveCapacity(example.width * example.height * 3)
        for start in stride(from: 0, to: example.pixels.count, by: example.channels) {
            for channel in order { pixels.append(example.pixels[start + channel]) }
        }
        return try Image(width: example.width, height: example.height, channels: 3, pixels: pixels)
    }
}
