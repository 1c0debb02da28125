/// What a file seems to be that is not the model it was given as, by its first bytes.
enum ForeignFile {
    struct Kind: Sendable, Hashable {
        /// Behind "it looks like".
        var words: String
        /// A sentence without its full stop.
        var advice: String
    }

    private static let signatures: [(start: [UInt8], kind: Kind)] = [
        (
            Array("version https://git-lfs".utf8),
            Kind(
                words: "a Git LFS pointer, which only stands in for the file",
                advice: "Fetch the file itself ('git lfs pull')"
            )
        ),
        (
            [0x50, 0x4B, 0x03, 0x04],
            Kind(words: "a ZIP archive, as PyTorch writes its .pt and .pth files", advice: fromPython)
        ),
        ([0x80, 0x02], Kind(words: "a pickle of Python, as older PyTorch files are", advice: fromPython)),
        ([0x89, 0x48, 0x44, 0x46], Kind(words: "an HDF5 file, as Keras writes", advice: fromPython)),
        (Array("GGUF".utf8), Kind(words: "a GGUF file", advice: another)),
        (
            Array("<".utf8),
            Kind(
                words: "a web page or XML",
                advice: "If it was downloaded, fetch it again from the link of the file itself"
            )
        ),
    ]

    private static let another = "Give the .safetensors file of the model"
    private static let fromPython = "Save the model's tensors as .safetensors in Python, and give that file"

    /// - Returns: nil for bytes that tell nothing, as those of a damaged file do.
    static func kind(of bytes: UnsafeRawBufferPointer) -> Kind? {
        if let known = signatures.first(where: { bytes.starts(with: $0.start) }) { return known.kind }
        // A cut within a letter of several bytes is no reason to doubt that it is text.
        let start = bytes.prefix(256)
        guard !start.isEmpty, start.allSatisfy({ $0 >= 0x20 || [0x09, 0x0A, 0x0D].contains($0) }),
            start.count(where: { $0 < 0x80 }) * 2 > start.count
        else { return nil }
        let line = String(decoding: start.prefix(40).prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
        return Kind(words: "text that begins '\(line)'", advice: another)
    }
}
