/// Seconds of work on all cores, in programs and in the system for them.
package enum ProcessorTime {
    /// Seconds of this process.
    package static var own: Double { seconds { getrusage(0, &$0) } }

    /// Seconds that the programs it has started took, counted once they have ended and been waited for.
    package static var children: Double { seconds { getrusage(-1, &$0) } }

    /// 0 and -1 are RUSAGE_SELF and RUSAGE_CHILDREN, whose types differ between systems.
    private static func seconds(_ ask: (inout rusage) -> Int32) -> Double {
        var usage = rusage()
        guard ask(&usage) == 0 else { return 0 }
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
