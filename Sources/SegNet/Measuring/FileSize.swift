import SegNetPlatform

/// The size of files.
package enum FileSize {
    /// - Throws: The file system's error if there is no such file.
    package static func bytes(_ url: URL) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: url.path(percentEncoded: false))
        return (attributes[.size] as? Int) ?? (attributes[.size] as? UInt64).map(Int.init) ?? 0
    }
}
