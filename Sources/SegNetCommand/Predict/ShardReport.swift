import SegNetToolkit

/// The report that a shard leaves next to its results when it is done: which pictures and settings it had, and its part of the summary. It
/// has a few kilobytes, however many pictures there are.
struct ShardReport: Codable, Sendable {
    struct Failure: Codable, Sendable, Hashable {
        var input: String
        var error: String
    }

    var version = 1
    var shard: Int
    var shards: Int
    /// The number of pictures in all shards. This, the checksum and the settings must be the same in all shards.
    var inputs: Int
    /// A checksum of the names of all pictures.
    var checksum: UInt32
    var settings: String
    /// A checksum of the model's files, which may change under the same name; nil in reports of earlier versions.
    var modelChecksum: UInt32?
    var classNames: [String]
    /// Results from different instruction sets can differ in single pixels (docs/numerics.md).
    var instructionSet: String

    /// How many pictures were segmented.
    var pictures = 0
    /// How many were skipped because their results were there (`--skip-existing`).
    var skipped = 0
    var failures: [Failure] = []
    /// The number of pixels by class id, over all pictures.
    var classPixels: [Int] = []
    var seconds = 0.0
    var threads: Int
    var peakMemoryBytes = 0

    static let folderName = ".segnet-shards"

    /// Whether another report is about the same pictures, model and settings.
    func matches(_ other: ShardReport) -> Bool {
        (version, shards, inputs, checksum) == (other.version, other.shards, other.inputs, other.checksum)
            && modelChecksum == other.modelChecksum && settings == other.settings && classNames == other.classNames
    }

    mutating func add(_ picture: PredictionReport.Picture) {
        if let error = picture.error {
            failures.append(Failure(input: picture.input, error: error))
            return
        }
        pictures += 1
        for share in picture.classes ?? [] {
            while classPixels.count <= share.id { classPixels.append(0) }
            classPixels[share.id] += share.pixels
        }
    }

    // MARK: Files

    static func path(_ shard: Shard, in output: String) -> String {
        "\(output)/\(folderName)/\(shard.number)-of-\(shard.count).json"
    }

    /// Writes the report under a temporary name and renames it: there is a whole report or none.
    func write(to path: String) throws {
        try OutputFolder.make(URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false))
        try SmallFile.write(Array(try JSON.text(self).utf8), to: URL(filePath: path))
    }

    /// - Returns: The report; nil if there is none.
    /// - Throws: `ShardError` if it cannot be understood.
    static func read(_ path: String) throws(ShardError) -> ShardReport? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        guard let report = try? JSONDecoder().decode(ShardReport.self, from: data), report.version == 1,
            report.shards >= 1, (1...report.shards).contains(report.shard)
        else {
            throw ShardError("\(path): is not a report of a shard; remove the file, and run that shard again.")
        }
        return report
    }
}

/// Shards do not belong together, or are missing.
struct ShardError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
