package import SegNetPlatform

/// Files that are written whole, such as a recipe.
package enum SmallFile {
    /// Writes a file under a temporary name and renames it.
    /// - Throws: `FormatError` in the system's words.
    package static func write(_ bytes: [UInt8], to url: URL) throws(FormatError) {
        var writer = try FileWriter(replacing: url)
        try writer.write(bytes)
        try writer.finish(durable: false)
    }
}
