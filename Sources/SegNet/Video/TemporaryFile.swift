internal import SegNetFormats
internal import SegNetImages
internal import SegNetPlatform

/// A file with a temporary name, in the folder of its final name. It is removed unless it is renamed.
final class TemporaryFile {
    /// Its temporary name.
    let name: String
    private let final: String
    /// Who may do what with the file that is replaced.
    private let permissions: mode_t?
    private var exists = true

    /// Makes an empty file, so that an error shows before hours of work are done for it.
    /// - Throws: `VideoError` with the system's words.
    init(beside path: String) throws(VideoError) {
        let target = FileTarget(path)
        guard target.isReplaced else { throw VideoError(path, .unwritable("it is a device or a pipe")) }
        final = target.path
        permissions = target.permissions
        name = LeftoverFiles.name(beside: final)
        let descriptor = RawFileName.withPath(name) {
            open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, target.temporaryPermissions)
        }
        guard descriptor >= 0 else { throw Self.failure(path) }
        close(descriptor)
    }

    deinit { if exists { _ = RawFileName.withPath(name) { unlink($0) } } }

    func append(_ text: String) throws(VideoError) {
        let descriptor = RawFileName.withPath(name) { open($0, O_WRONLY | O_APPEND | O_CLOEXEC) }
        guard descriptor >= 0 else { throw Self.failure(final) }
        defer { close(descriptor) }
        guard StandardStream.write(text, to: descriptor) == 0 else { throw Self.failure(final) }
    }

    /// Gives the file its final name.
    func rename() throws(VideoError) {
        // Some file systems have no permissions to set.
        if let permissions { _ = RawFileName.withPath(name) { chmod($0, permissions) } }
        let code = RawFileName.withPath(name) { old in
            RawFileName.withPath(final) { SegNetPlatform.rename(old, $0) }
        }
        guard code == 0 else { throw Self.failure(final) }
        exists = false
    }

    /// Its name as an argument for ffmpeg.
    var argument: [UInt8] { FFmpeg.file(name) }

    private static func failure(_ path: String) -> VideoError {
        VideoError(path, .unwritable(strerror(errno).map { String(cString: $0) } ?? "error \(errno)"))
    }
}
