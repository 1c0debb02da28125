internal import CSegNetKernels

/// The cache that a core has for itself.
package enum CoreCache {
    /// Bytes of a core's second-level cache, for the sizes of blocks. Where the system does not tell, or tells of one that a cluster of
    /// cores shares (Apple), 1 MiB: what most cores have, or their part.
    package static let level2Bytes: Int = {
        let found = Int(sn_level2_cache())
        return found > 0 ? min(max(found, 256 << 10), 2 << 20) : 1 << 20
    }()
}
