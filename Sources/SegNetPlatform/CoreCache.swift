internal import CSegNetKernels

/// The cache that belongs to one core.
package enum CoreCache {
    /// Bytes of a core's second-level cache, for the sizes of blocks. Where the system does not report it, or reports
    /// one that a cluster of cores shares (Apple), 1 MiB: what most cores have, or their part.
    package static let level2Bytes: Int = {
        let found = Int(sn_level2_cache())
        return found > 0 ? min(max(found, 256 << 10), 2 << 20) : 1 << 20
    }()
}
