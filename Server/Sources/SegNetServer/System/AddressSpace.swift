internal import SegNetToolkit

/// The address space of this process, which `ulimit -v` and `prlimit --as` limit.
public enum AddressSpace {
    /// If the address space is limited, lets all threads share two arenas for allocations. Otherwise glibc takes 64 MiB of it for each
    /// thread, most of which is never used: with a limit of 400 MiB nothing would be left for pictures. Call this before threads are made.
    public static func shareArenas() {
        #if os(Linux)
            var limit = rlimit()
            #if canImport(Glibc)
                let resource = __rlimit_resource_t(RLIMIT_AS.rawValue)
            #else
                let resource = RLIMIT_AS
            #endif
            guard getrlimit(resource, &limit) == 0, limit.rlim_cur < 1 << 40,
                let symbol = dlsym(nil, "mallopt")
            else { return }
            typealias Mallopt = @convention(c) (_ parameter: Int32, _ value: Int32) -> Int32
            _ = unsafeBitCast(symbol, to: Mallopt.self)(arenaMax, 2)
        #endif
    }

    /// `M_ARENA_MAX` of glibc's malloc.h, which Swift does not import. Another C library has no such function or knows no such number.
    private static let arenaMax: Int32 = -8
}
