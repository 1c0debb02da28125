package import SegNetImages
internal import SegNetPlatform

/// A picture, its truth and what was predicted, small enough for a page.
package struct Comparison: Sendable {
    package var photo: Image
    /// Class ids; not below K where there is no ground truth.
    package var truth: LabelMap
    /// Class ids; not below K where no class was given.
    package var prediction: LabelMap

    /// Pictures on a page are not wider than this.
    package static let greatestWidth = 480

    /// Scales all three down to the greatest width, where they are wider.
    /// - Throws: `ImageError` if the sizes of the label maps are not the photo's.
    package init(photo: Image, truth: LabelMap, prediction: LabelMap) throws(ImageError) {
        let width = min(photo.width, Self.greatestWidth)
        let height = max(1, (photo.height * width + photo.width / 2) / photo.width)
        self.photo = try photo.rgb().resized(width: width, height: height, filter: .area)
        self.truth = try truth.resized(width: width, height: height, nearest: .center)
        self.prediction = try prediction.resized(width: width, height: height, nearest: .center)
    }

    /// What the error map shows.
    package static let wrong = Color(226, 35, 58)
    package static let void = Color(90, 90, 96)

    /// The photo in pale gray, wrong pixels in red; dark where there is no ground truth.
    package func errorMap(classCount: Int) throws(ImageError) -> Image {
        let gray = photo.gray()
        var pixels: [UInt8] = []
        pixels.reserveCapacity(gray.pixels.count * 3)
        for index in gray.pixels.indices {
            if Int(truth.ids[index]) >= classCount {
                pixels += [Self.void.red, Self.void.green, Self.void.blue]
            } else if truth.ids[index] != prediction.ids[index] {
                pixels += [Self.wrong.red, Self.wrong.green, Self.wrong.blue]
            } else {
                let pale = UInt8(150 + Int(gray.pixels[index]) * 100 / 255)
                pixels += [pale, pale, pale]
            }
        }
        return try Image(width: gray.width, height: gray.height, channels: 3, pixels: pixels)
    }

    /// The four pictures as data URIs: photo, truth, prediction, errors.
    package func dataURIs(classes: ClassTable) throws(ImageError) -> [String] {
        [
            Self.uri("jpeg", try photo.encodedJPEG(quality: 82)),
            Self.uri("png", try Self.encoded(truth, classes)),
            Self.uri("png", try Self.encoded(prediction, classes)),
            Self.uri(
                "jpeg",
                try errorMap(classCount: classes.classes.count).encodedJPEG(quality: 80, keepsFullColor: true)
            ),
        ]
    }

    /// A palette file, in which whatever is not a class has one number and the colour of void.
    static func encoded(_ labels: LabelMap, _ classes: ClassTable) throws(ImageError) -> [UInt8] {
        let count = classes.classes.count
        let void = UInt16(clamping: count)
        let ids = labels.ids.map { Int($0) < count ? $0 : void }
        let map = try LabelMap(width: labels.width, height: labels.height, ids: ids)
        var table = classes
        table.classes.append(ClassTable.Entry("void", classes.ignoredColor))
        return count < 256 ? try map.encodedPNG(table: table) : try map.colored(with: table).encodedPNG()
    }

    static func uri(_ type: String, _ bytes: [UInt8]) -> String {
        "data:image/\(type);base64,\(Data(bytes).base64EncodedString())"
    }
}
