import SegNetImages

// The formats of labelme, CVAT, Label Studio and YOLO. None of them has holes.

// swift-format-ignore: AlwaysUseLowerCamelCase
private struct LabelmeDocument: Encodable {
    struct Shape: Encodable {
        var label: String
        var points: [[Double]]
        var group_id: Int?
        var description = ""
        var shape_type = "polygon"
        var flags: [String: Bool] = [:]

        private enum CodingKeys: String, CodingKey {
            case label, points, group_id, description, shape_type, flags, mask
        }

        /// labelme needs all of its keys, with null where there is no value.
        func encode(to encoder: any Encoder) throws {
            var object = encoder.container(keyedBy: CodingKeys.self)
            try object.encode(label, forKey: .label)
            try object.encode(points, forKey: .points)
            try object.encode(group_id, forKey: .group_id)
            try object.encode(description, forKey: .description)
            try object.encode(shape_type, forKey: .shape_type)
            try object.encode(flags, forKey: .flags)
            try object.encodeNil(forKey: .mask)
        }
    }

    var shapes: [Shape]
    var imagePath: String
    var imageHeight: Int
    var imageWidth: Int

    private enum CodingKeys: String, CodingKey {
        case version, flags, shapes, imagePath, imageData, imageHeight, imageWidth
    }

    func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: CodingKeys.self)
        try object.encode("5.5.0", forKey: .version)
        try object.encode([String: Bool](), forKey: .flags)
        try object.encode(shapes, forKey: .shapes)
        try object.encode(imagePath, forKey: .imagePath)
        try object.encodeNil(forKey: .imageData)
        try object.encode(imageHeight, forKey: .imageHeight)
        try object.encode(imageWidth, forKey: .imageWidth)
    }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
private struct LabelStudioDocument: Encodable {
    struct Value: Encodable {
        var closed = true
        var points: [[Double]]
        var polygonlabels: [String]
    }

    struct Result: Encodable {
        var id: String
        var type = "polygonlabels"
        var from_name = "label"
        var to_name = "image"
        var original_width: Int
        var original_height: Int
        var image_rotation = 0
        var value: Value
    }

    struct Work: Encodable {
        var id = 1
        var model_version: String?
        var result: [Result]
    }

    /// Label Studio gives tasks its own numbers, but its converter needs one.
    var id: Int
    var data: [String: String]
    var annotations: [Work]?
    var predictions: [Work]?
}

extension AnnotationWriter {
    private func name(_ region: LabelRegion) -> String { classes.name(of: Int(region.classID)) }

    var labelme: some Encodable {
        let picture = pictures.last
        return LabelmeDocument(
            shapes: (picture?.regions ?? []).map { region in
                LabelmeDocument.Shape(label: name(region), points: region.polygon.singleRing.map { [$0.x, $0.y] })
            },
            imagePath: picture?.file ?? "",
            imageHeight: picture?.height ?? 0,
            imageWidth: picture?.width ?? 0
        )
    }

    var labelStudio: some Encodable {
        pictures.enumerated().map { place, picture in
            let results = picture.regions.enumerated().map { number, region in
                let points = region.polygon.singleRing.map {
                    [100 * $0.x / Double(picture.width), 100 * $0.y / Double(picture.height)]
                }
                return LabelStudioDocument.Result(
                    id: "region\(number + 1)",
                    original_width: picture.width,
                    original_height: picture.height,
                    value: LabelStudioDocument.Value(points: points, polygonlabels: [name(region)])
                )
            }
            let work = LabelStudioDocument.Work(
                id: place + 1,
                model_version: isPrediction ? "segnet" : nil,
                result: results
            )
            return LabelStudioDocument(
                id: place + 1,
                data: ["image": picture.file],
                annotations: isPrediction ? nil : [work],
                predictions: isPrediction ? [work] : nil
            )
        }
    }

    var yolo: String {
        guard let picture = pictures.last else { return "" }
        return picture.regions.map { region in
            let numbers = region.polygon.singleRing.flatMap {
                [$0.x / Double(picture.width), $0.y / Double(picture.height)]
            }
            return "\(region.classID) " + numbers.map { "\($0)" }.joined(separator: " ") + "\n"
        }.joined()
    }

    var cvat: String {
        var lines = [
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>", "<annotations>", "  <version>1.1</version>", "  <meta>",
        ]
        lines += ["    <task>", "      <name>segnet</name>", "      <labels>"]
        for (id, entry) in classes.classes.enumerated() where !classes.isIgnored(id) {
            lines += [
                "        <label>", "          <name>\(Self.escaped(entry.name))</name>",
                "          <color>\(entry.color.hexadecimal)</color>", "          <type>any</type>",
                "          <attributes></attributes>", "        </label>",
            ]
        }
        lines += ["      </labels>", "    </task>", "  </meta>"]
        for (number, picture) in pictures.enumerated() {
            lines.append(
                "  <image id=\"\(number)\" name=\"\(Self.escaped(picture.file))\" width=\"\(picture.width)\" height=\"\(picture.height)\">"
            )
            for region in picture.regions {
                let points = region.polygon.singleRing.map { "\(Self.number($0.x)),\(Self.number($0.y))" }
                lines.append(
                    "    <polygon label=\"\(Self.escaped(name(region)))\" source=\"\(isPrediction ? "auto" : "file")\" occluded=\"0\" "
                        + "points=\"\(points.joined(separator: ";"))\" z_order=\"0\"></polygon>"
                )
            }
            lines.append("  </image>")
        }
        return (lines + ["</annotations>", ""]).joined(separator: "\n")
    }

    /// CVAT writes two decimals; borders lie on whole pixels.
    private static func number(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }

    /// By Unicode's scalars: a letter may be one with an accent behind it. What XML cannot hold becomes a question mark.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\u{0}"..."\u{8}", "\u{A}"..."\u{1F}", "\u{FFFE}"..."\u{FFFF}": result += "?"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
