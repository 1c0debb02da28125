import SegNetPlatform
import Yams

/// The contents of the `data.yaml` of a YOLO data set.
public struct YOLODescription: Sendable {
    /// Names by class number.
    public var names: [String]
    /// The folders, list files or single pictures of each split, as the file has them.
    public var splits: [String: [String]]

    /// - Throws: `AnnotationError` if it cannot be read or has no names.
    public init(path: String) throws(AnnotationError) {
        let data = try AnnotationText.read(path)
        let text = String(decoding: data, as: UTF8.self)
        if let problem = YAMLAliases.problem(in: text) { throw AnnotationError("\(path): \(problem)") }
        guard let node = try? Yams.compose(yaml: text), let mapping = node.mapping else {
            throw AnnotationError("\(path): cannot be read as YAML with keys; check that it is the right file.")
        }
        names = try Self.names(mapping["names"], path)
        splits = [:]
        let folder = mapping["path"]?.string
        for (key, split) in [("train", "train"), ("val", "val"), ("valid", "val"), ("test", "test")] {
            guard let value = mapping[Node(key)] else { continue }
            let places = value.sequence?.compactMap(\.string) ?? [value.string].compactMap { $0 }
            guard value.null == nil, !places.isEmpty, places != [""] else { continue }
            splits[split, default: []] += places.map { place in
                guard let folder, !folder.isEmpty, folder != ".", !place.hasPrefix("/") else { return place }
                return folder.hasSuffix("/") ? folder + place : "\(folder)/\(place)"
            }
        }
    }

    private static func names(_ node: Node?, _ path: String) throws(AnnotationError) -> [String] {
        if let list = node?.sequence { return list.map { $0.string ?? "" } }
        guard let mapping = node?.mapping else {
            throw AnnotationError(
                "\(path): has no 'names'; write the classes as 'names: [car, road]', or each with a number."
            )
        }
        var names: [Int: String] = [:]
        for (key, value) in mapping {
            guard let number = key.int, number >= 0, number < 65_000, let name = value.string else {
                throw AnnotationError(
                    "\(path): has the class '\(key.string ?? "?")' in 'names'; write a number below 65000 and a name."
                )
            }
            names[number] = name
        }
        return (0...(names.keys.max() ?? 0)).map { names[$0] ?? "class \($0)" }
    }
}

extension AnnotationSet {
    /// Adds a picture of a YOLO data set: one line per polygon, "class x y x y ...", in fractions of the picture's sides.
    /// - Parameters:
    ///   - path: The text file; nil if the picture shows nothing that is labelled.
    ///   - picture: The picture's file.
    ///   - names: The names by class number.
    public mutating func addYOLO(_ path: String?, picture file: String, names: [String]) {
        if labels.isEmpty { for name in names { _ = label(name) } }
        var picture = AnnotatedPicture(file: file, source: path ?? file)
        if let path {
            guard let data = FileManager.default.contents(atPath: path) else {
                problems.append("\(path): cannot be read; check its permissions.")
                return
            }
            let text = String(decoding: data, as: UTF8.self)
            for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
            {
                let words = line.split(whereSeparator: \.isWhitespace)
                guard !words.isEmpty else { continue }
                do throws(AnnotationError) {
                    picture.annotations.append(try Self.annotation(words, names, labels))
                } catch {
                    problems.append("\(path): line \(number + 1) \(error)")
                }
            }
        }
        pictures.append(picture)
    }

    private static func annotation(
        _ words: [Substring],
        _ names: [String],
        _ labels: [Label]
    ) throws(AnnotationError) -> Annotation {
        guard let number = Int(words[0]), names.indices.contains(number),
            let label = labels.firstIndex(where: { $0.name == names[number] })
        else {
            throw AnnotationError(
                "has the class '\(words[0])', which is not one of the \(names.count) that the data set names. Correct one of them."
            )
        }
        let numbers = words.dropFirst().map { Double($0) ?? .nan }
        guard numbers.count != 4 else {
            throw AnnotationError(
                "has a box (4 numbers) instead of a polygon (6 or more). Export segments, not boxes."
            )
        }
        guard numbers.allSatisfy(\.isFinite) else {
            throw AnnotationError("has something that is not a number. Export it again.")
        }
        guard numbers.allSatisfy({ (-0.01...1.01).contains($0) }) else {
            throw AnnotationError(
                "has a number beyond 0...1; points are fractions of the picture's sides. Export it again."
            )
        }
        return Annotation(label: label, shape: .relativePolygons([try RingNumbers.ring(numbers)]))
    }
}
