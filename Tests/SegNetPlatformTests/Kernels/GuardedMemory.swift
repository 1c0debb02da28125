import SegNetPlatform

/// Memory for a kernel's operand that notices strays.
///
/// It ends where a page begins that nobody may touch: reading or writing one element too far ends the program at once.
/// The bytes before it hold a pattern; `isIntact` tells whether they still do. The elements start as that pattern too
/// (read as floats: NaN), so what a kernel forgets to write, or reads from the wrong place, shows in its result.
///
/// Bind it to a name before you take its pointer: a temporary is gone before the kernel runs.
final class GuardedMemory<Element: BitwiseCopyable> {
    let count: Int
    let pointer: UnsafeMutablePointer<Element>
    private let base: UnsafeMutableRawPointer
    private let length: Int
    private static var pattern: UInt8 { 0xFF }

    init(count: Int) {
        let page = Int(getpagesize())
        let bytes = count * MemoryLayout<Element>.stride
        length = (bytes + 256 + page - 1) / page * page + page
        guard let memory = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0),
            memory != MAP_FAILED
        else { preconditionFailure("no memory for a test") }
        memset(memory, Int32(Self.pattern), length)
        mprotect(memory + (length - page), page, PROT_NONE)
        self.count = count
        base = memory
        pointer = (memory + (length - page - bytes)).bindMemory(to: Element.self, capacity: count)
    }

    convenience init(_ elements: [Element]) {
        self.init(count: elements.count)
        for (i, element) in elements.enumerated() { pointer[i] = element }
    }

    deinit { munmap(base, length) }

    var isIntact: Bool {
        UnsafeRawBufferPointer(start: base, count: UnsafeRawPointer(pointer) - UnsafeRawPointer(base))
            .allSatisfy { $0 == Self.pattern }
    }

    var elements: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
