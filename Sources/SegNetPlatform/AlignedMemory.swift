/// Zeroed memory for kernels, straight from the system: 64-byte aligned, in huge pages where the system gives them.
///
/// A Winograd tile's transform touches 64 to 100 streams, each on a page of its own; with 4 KiB pages they do not fit the
/// processor's translation caches (docs/kernels.md, Memory). The system takes a page only when it is first written.
package final class AlignedMemory: @unchecked Sendable {
    /// The first byte, aligned to `alignment`.
    package let base: UnsafeMutableRawPointer
    /// The number of bytes.
    package let byteCount: Int

    private let mappedCount: Int

    /// Huge pages are 2 MiB on x86-64 and on most ARM systems.
    private static let hugePage = 2 << 20
    private static let page = max(4096, Int(sysconf(Int32(_SC_PAGESIZE))))

    /// - Parameters:
    ///   - byteCount: At least 0.
    ///   - hugePages: Whether to ask for 2 MiB pages. Small buffers are better packed into one allocation, each would round up.
    /// - Throws: `MemoryError` if the system has no such memory.
    package init(byteCount: Int, hugePages: Bool = true) throws(MemoryError) {
        let huge = hugePages && byteCount >= Self.hugePage
        let alignment = huge ? Self.hugePage : Self.page
        let (padded, overflow) = byteCount.addingReportingOverflow(2 * alignment)
        guard byteCount >= 0, !overflow else { throw MemoryError(byteCount: byteCount) }
        let needed = max(byteCount + Self.page - 1, 1) / Self.page * Self.page
        let mapped = (padded - 1) / Self.page * Self.page
        let flags = MAP_PRIVATE | MAP_ANON
        guard let pointer = mmap(nil, mapped, PROT_READ | PROT_WRITE, flags, -1, 0), pointer != MAP_FAILED else {
            throw MemoryError(byteCount: byteCount)
        }
        let address = (UInt(bitPattern: pointer) + UInt(alignment - 1)) / UInt(alignment) * UInt(alignment)
        base = pointer + Int(address - UInt(bitPattern: pointer))
        // The rest on both sides goes back to the system: the end of a huge page there would be wasted.
        mappedCount = max(needed, Self.page)
        let before = base - pointer
        let after = mapped - before - mappedCount
        if before > 0 { munmap(pointer, before) }
        if after > 0 { munmap(base + mappedCount, after) }
        self.byteCount = byteCount
        #if os(Linux)
            if huge { _ = madvise(base, byteCount / Self.hugePage * Self.hugePage, MADV_HUGEPAGE) }
        #endif
    }

    deinit { munmap(base, mappedCount) }

    /// The memory as floats from a byte offset on.
    package func floats(at byteOffset: Int = 0) -> UnsafeMutablePointer<Float> {
        (base + byteOffset).assumingMemoryBound(to: Float.self)
    }
}

/// The system cannot allocate this much memory.
public struct MemoryError: Error, Hashable, CustomStringConvertible {
    /// Bytes that were requested.
    public let byteCount: Int
    /// Bytes that are available, where the system reports them.
    public let available: Int?
    /// What takes the memory, where that is not the picture's size alone: a clause.
    public let cause: String?

    public init(byteCount: Int, available: Int? = nil, cause: String? = nil) {
        self.byteCount = byteCount
        self.available = available
        self.cause = cause
    }

    public var description: String {
        let there = available.map { ", but only \($0 >> 20) MiB are available" } ?? ""
        return "not enough memory: \(byteCount >> 20) MiB are needed\(there); "
            + (cause.map { "\($0); " } ?? "")
            + "use a smaller \(UserChoice.size), a smaller \(UserChoice.threads), or close other programs."
    }
}
