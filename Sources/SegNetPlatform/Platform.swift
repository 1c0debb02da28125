// `import SegNetPlatform` brings the C library and Foundation along: Foundation's essentials where they are a module of their own, since
// the rest of it loads megabytes of Unicode data into every program.

#if canImport(Glibc)
    @_exported public import Glibc
#elseif canImport(Musl)
    @_exported public import Musl
#elseif canImport(Darwin)
    @_exported public import Darwin
#endif
#if canImport(FoundationEssentials)
    @_exported public import FoundationEssentials
#else
    @_exported public import Foundation
#endif
