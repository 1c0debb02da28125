import Testing

@testable import SegNetPlatform

@Suite("Memory of the machine")
struct MachineMemoryTests {
    /// Lines as the kernel writes them; the other fields are left out.
    private func statistics(anonymous: Int, inactive: Int, active: Int) -> String {
        "anon \(anonymous)\nfile \(inactive + active)\ninactive_anon \(anonymous)\nactive_anon 0\n"
            + "inactive_file \(inactive)\nactive_file \(active)\nunevictable 0\n"
    }

    @Test("cached pages of files do not count as used: the kernel drops them before it refuses memory")
    func cachedPages() {
        let gibibyte = 1 << 30
        let full = statistics(anonymous: gibibyte, inactive: 5 * gibibyte, active: 2 * gibibyte)
        #expect(MachineMemory.left(of: 8 * gibibyte, used: 8 * gibibyte, statistics: full) == 7 * gibibyte)
        let working = statistics(anonymous: 3 * gibibyte, inactive: 0, active: 0)
        #expect(MachineMemory.left(of: 8 * gibibyte, used: 3 * gibibyte, statistics: working) == 5 * gibibyte)
    }

    @Test("without statistics everything counts as used, and nothing is left of an exceeded limit")
    func bounds() {
        #expect(MachineMemory.left(of: 100, used: 30, statistics: "") == 70)
        #expect(MachineMemory.left(of: 100, used: 130, statistics: "") == 0)
        // The two files are read one after the other, so the cache may be larger than what was in use.
        #expect(MachineMemory.left(of: 100, used: 30, statistics: "active_file 40\n") == 100)
    }

    @Test("the machine says how much there is, and this process has held some")
    func machine() {
        #if os(Linux)
            #expect((MachineMemory.available ?? 0) > 0)
        #endif
        #expect(MachineMemory.peak > 1 << 20)
    }
}
