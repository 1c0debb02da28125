import SegNetToolkit

/// Writes lines to a file descriptor, each by one system call: lines of several threads do not mix, and a program that
/// reads our address from a pipe does not wait for a buffer to fill.
package enum LineWriter {
    /// - Parameter descriptor: 1 standard output, 2 standard error.
    package static func write(_ line: String, to descriptor: Int32) {
        var line = line + "\n"
        line.withUTF8 { letters in
            var rest = UnsafeRawBufferPointer(letters)
            while !rest.isEmpty {
                #if canImport(Glibc)
                    let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                #elseif canImport(Musl)
                    let count = Musl.write(descriptor, rest.baseAddress, rest.count)
                #elseif canImport(Darwin)
                    let count = Darwin.write(descriptor, rest.baseAddress, rest.count)
                #endif
                if count < 0 && errno == EINTR { continue }
                // Nobody is reading any more.
                guard count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }
}
