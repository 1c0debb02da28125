/// How much memory the machine has left, and how much this process has taken.
public enum MachineMemory {
    /// Bytes that this process could take now without swapping; nil where the system does not report it.
    ///
    /// Linux: the least of MemAvailable, what the control group (version 2) leaves, and what the limit of the address space (`ulimit -v`)
    /// leaves.
    public static var available: Int? {
        #if os(Linux)
            var bounds: [Int] = []
            if let memory = field("MemAvailable:", in: "/proc/meminfo") { bounds.append(memory * 1024) }
            if let limit = number(in: "/sys/fs/cgroup/memory.max"),
                let used = number(in: "/sys/fs/cgroup/memory.current")
            {
                let statistics = contents("/sys/fs/cgroup/memory.stat") ?? ""
                bounds.append(left(of: limit, used: used, statistics: statistics))
            }
            if let limit = field("Max address space", in: "/proc/self/limits"),
                let used = field("VmSize:", in: "/proc/self/status")
            {
                bounds.append(max(0, limit - used * 1024))
            }
            return bounds.min()
        #else
            return nil
        #endif
    }

    /// The most bytes of memory that this process has ever held at once.
    ///
    /// Linux: `VmHWM`. `ru_maxrss` would include what the process that started this one had held.
    public static var peak: Int {
        #if os(Linux)
            if let peak = field("VmHWM:", in: "/proc/self/status") { return peak * 1024 }
        #endif
        var usage = rusage()
        // 0 is RUSAGE_SELF, whose type differs between systems.
        getrusage(0, &usage)
        #if os(Linux)
            return usage.ru_maxrss * 1024
        #else
            return usage.ru_maxrss
        #endif
    }

    /// The bytes that a control group (version 2) leaves. The kernel drops cached pages of files before it refuses memory, so they count
    /// as free, as in MemAvailable: after one pass over a large data set they would fill the whole group.
    /// - Parameters:
    ///   - limit: `memory.max`
    ///   - used: `memory.current`, cached pages included.
    ///   - statistics: The text of `memory.stat`.
    static func left(of limit: Int, used: Int, statistics: String) -> Int {
        let cached = ["inactive_file ", "active_file "].compactMap { number(after: $0, in: statistics) }.reduce(0, +)
        return max(0, limit - max(0, used - cached))
    }

    /// The first number of the line that begins with `name`.
    private static func number(after name: String, in text: String) -> Int? {
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            return line.dropFirst(name.count).split { $0 == " " || $0 == "\t" }.first.flatMap { Int($0) }
        }
        return nil
    }

    #if os(Linux)
        private static func field(_ name: String, in path: String) -> Int? {
            contents(path).flatMap { number(after: name, in: $0) }
        }

        private static func number(in path: String) -> Int? {
            contents(path)?.split(separator: "\n").first.flatMap { Int($0) }
        }

        private static func contents(_ path: String) -> String? {
            let file = open(path, O_RDONLY)
            guard file >= 0 else { return nil }
            defer { close(file) }
            var bytes = [UInt8](repeating: 0, count: 1 << 14)
            let count = read(file, &bytes, bytes.count)
            return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
        }
    #endif
}
