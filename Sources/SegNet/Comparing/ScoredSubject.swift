internal import SegNetFormats
internal import SegNetPlatform

/// The subject of scores or measurements, which are taken again when it changes.
struct ScoredSubject: Hashable, Codable {
    /// The model's file, its size, and when it was written (seconds since 1970).
    var model: String
    var modelBytes: Int
    var modelWritten: Double
    /// Everything else that the figures depend on, in words.
    var conditions: String

    /// - Throws: The file system's error if there is no such model.
    init(_ model: URL, conditions: String) throws {
        let attributes = try FileManager.default.attributesOfItem(atPath: model.path(percentEncoded: false))
        self.model = model.lastPathComponent
        modelBytes = try FileSize.bytes(model)
        modelWritten = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        self.conditions = conditions
    }

    private struct Head: Decodable { var subject: ScoredSubject }

    /// Reads a file that was written with its subject; nil if there is none, or if it is of something else.
    static func read<File: Decodable>(_ type: File.Type, _ url: URL, of subject: ScoredSubject?) -> File? {
        guard let subject, let data = FileManager.default.contents(atPath: url.path(percentEncoded: false)),
            let head = try? JSONDecoder().decode(Head.self, from: data), head.subject == subject
        else { return nil }
        return try? JSONDecoder().decode(type, from: data)
    }

    /// Writes a file as JSON, whole or not at all.
    static func write(_ file: some Encodable, to url: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try SystemComparison.makeFolder(url.deletingLastPathComponent())
        try SmallFile.write(Array(try encoder.encode(file)), to: url)
    }
}
