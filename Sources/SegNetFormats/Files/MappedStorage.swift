import SegNetNetworks

/// A tensor's bytes that stay in a mapped file until they are touched.
final class MappedStorage: WeightStorage {
    private let file: MappedFile
    private let range: Range<Int>

    init(file: MappedFile, range: Range<Int>) {
        self.file = file
        self.range = range
    }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try file.withBytes { bytes in try body(UnsafeRawBufferPointer(rebasing: bytes[range])) }
    }

    func release() { file.release(range) }
}
