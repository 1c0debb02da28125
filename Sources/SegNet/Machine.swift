internal import SegNetPlatform

#if canImport(Darwin)
    internal import Darwin
#endif

/// What this machine is, as far as it matters for speed and memory. For `segnet info --machine` and for benchmark reports.
package struct Machine: Sendable, Hashable, Codable {
    /// A cache of the first core.
    package struct Cache: Sendable, Hashable, Codable {
        package var level: Int
        /// `data`, `instruction` or `unified`.
        package var kind: String
        package var bytes: Int
    }

    /// The processor's name; nil where the system does not tell.
    package var processor: String?
    /// Cores that this process may use.
    package var cores: Int
    /// Names of the kernels that this machine can run, slowest first.
    package var instructionSets: [String]
    /// Empty where the system does not tell.
    package var caches: [Cache]
    /// Bytes of memory; nil where the system does not tell.
    package var memory: Int?
    /// Bytes that could be taken now without swapping; nil where the system does not tell.
    package var availableMemory: Int?

    /// The machine that this process runs on.
    package static var current: Machine {
        Machine(
            processor: processorName,
            cores: ThreadPool.availableCores,
            instructionSets: InstructionSet.available.map(\.name),
            caches: firstCoreCaches,
            memory: totalMemory,
            availableMemory: MachineMemory.available
        )
    }

    #if os(Linux)
        private static var processorName: String? {
            // x86 says "model name", ARM kernels often say nothing.
            field("model name", of: lines("/proc/cpuinfo"))
        }

        private static var totalMemory: Int? {
            field("MemTotal", of: lines("/proc/meminfo")).flatMap { Int($0.split(separator: " ").first ?? "") }
                .map { $0 * 1024 }
        }

        private static var firstCoreCaches: [Cache] {
            (0..<8).compactMap { index in
                let folder = "/sys/devices/system/cpu/cpu0/cache/index\(index)/"
                // "48K", "260096K"
                guard let level = lines(folder + "level").first.flatMap({ Int($0) }),
                    let kind = lines(folder + "type").first?.lowercased(),
                    let size = lines(folder + "size").first, size.hasSuffix("K"), let kilobytes = Int(size.dropLast())
                else { return nil }
                return Cache(level: level, kind: kind, bytes: kilobytes * 1024)
            }
        }

        private static func lines(_ path: String) -> [String] {
            guard let data = FileManager.default.contents(atPath: path) else { return [] }
            return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
        }

        /// The first `NAME : value` of a `/proc` file.
        private static func field(_ name: String, of lines: [String]) -> String? {
            guard let line = lines.first(where: { $0.hasPrefix(name) }), let colon = line.firstIndex(of: ":") else {
                return nil
            }
            return String(line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" })
        }
    #elseif canImport(Darwin)
        private static var processorName: String? {
            var size = 0
            guard sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0) == 0, size > 0 else { return nil }
            var letters = [UInt8](repeating: 0, count: size)
            guard sysctlbyname("machdep.cpu.brand_string", &letters, &size, nil, 0) == 0 else { return nil }
            return String(decoding: letters.prefix { $0 != 0 }, as: UTF8.self)
        }

        private static var totalMemory: Int? { number("hw.memsize") }

        private static var firstCoreCaches: [Cache] {
            [(1, "data", "hw.l1dcachesize"), (1, "instruction", "hw.l1icachesize"), (2, "unified", "hw.l2cachesize")]
                .compactMap { level, kind, name in
                    number(name).map { Cache(level: level, kind: kind, bytes: $0) }
                }
        }

        private static func number(_ name: String) -> Int? {
            var value: Int64 = 0
            var size = MemoryLayout<Int64>.size
            return sysctlbyname(name, &value, &size, nil, 0) == 0 ? Int(value) : nil
        }
    #else
        private static var processorName: String? { nil }
        private static var totalMemory: Int? { nil }
        private static var firstCoreCaches: [Cache] { [] }
    #endif
}
