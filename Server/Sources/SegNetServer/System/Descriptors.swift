internal import SegNetToolkit

/// The file descriptors of this process.
public enum Descriptors {
    /// The descriptors that are needed at any time in addition to connections: for the log, for system files that say how much memory there
    /// is, and for connections that are accepted together.
    private static let spare = 24

    /// Raises the limit as far as the system allows any process to. It is low by default because of old programs that use `select`.
    public static func raiseLimit() {
        guard var limit, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(resource, &limit)
    }

    /// The number of connections for which there are descriptors, in addition to those that are open now.
    static var forConnections: Int {
        guard let limit else { return .max }
        let most = Int(clamping: limit.rlim_cur)
        let inUse = (try? FileManager.default.contentsOfDirectory(atPath: "/dev/fd").count) ?? 32
        return max(1, most - inUse - spare)
    }

    /// Whether the system would give one more.
    static var areLeft: Bool {
        let copy = dup(0)
        if copy >= 0 {
            close(copy)
            return true
        }
        return errno != EMFILE && errno != ENFILE
    }

    private static var limit: rlimit? {
        var limit = rlimit()
        return getrlimit(resource, &limit) == 0 ? limit : nil
    }

    #if canImport(Glibc)
        private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        private static let resource = RLIMIT_NOFILE
    #endif
}
