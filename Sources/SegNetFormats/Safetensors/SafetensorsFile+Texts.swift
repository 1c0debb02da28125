public import SegNetPlatform

extension SafetensorsFile {
    /// Stores with a model what `ModelMetadata.denseCRF` holds; its tensors stay as they are, to the bit.
    /// - Throws: `FormatError` if the file is not a whole model, or cannot be written. The old file then stays as it was.
    public static func store(denseCRF numbers: String, in url: URL) throws(FormatError) {
        // Tensors copied unread must be complete, and make up a model.
        _ = try readModel(url)
        let file = try MappedFile(url)
        let start =
            8 + file.withBytes { Int(truncatingIfNeeded: UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))) }
        var header: SafetensorsHeader
        do {
            header = try file.withBytes { (bytes) throws(SafetensorsHeader.HeaderError) in
                try SafetensorsHeader(UnsafeRawBufferPointer(rebasing: bytes[8..<start]))
            }
        } catch {
            throw FormatError(file: file.name, problem: "byte \(error.offset) of its header: \(error.problem)")
        }
        header.metadata[Key.denseCRF] = numbers
        var writer = try FileWriter(replacing: url)
        try writer.write(header.bytes())
        try file.withBytes { bytes in
            Result { () throws(FormatError) in try writer.write(UnsafeRawBufferPointer(rebasing: bytes[start...])) }
        }
        .get()
        try writer.finish(durable: true)
    }

    /// Sees that a file can be replaced, before work is done for what `store` will write.
    /// - Throws: `FormatError` if the folder does not allow it.
    public static func requireReplaceable(_ url: URL) throws(FormatError) { try FileTarget.requireWritable(url) }
}
