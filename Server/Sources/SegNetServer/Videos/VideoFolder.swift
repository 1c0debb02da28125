internal import SegNetToolkit

/// The folder of a service's videos and their results, which only this user may read.
///
/// It is locked (`flock`) as long as its process lives. One that is not locked was left by a process that was killed.
final class VideoFolder: Sendable {
    private static let prefix = "segnet-videos-"

    let url: URL
    private let lock: Int32

    /// Makes the folder.
    /// - Throws: `VideoError` with the system's words.
    init(in parent: URL = FileManager.default.temporaryDirectory) throws(VideoError) {
        let name = "\(Self.prefix)\(UInt64.random(in: 0 ... .max))"
        url = parent.appending(path: name)
        // It gets its name when it is locked, so that nobody takes it for a leftover before.
        let path = parent.appending(path: ".\(name)").path(percentEncoded: false)
        let isMade = mkdir(path, 0o700) == 0
        lock = isMade ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1
        // Where the file system has no locks, no folder is ever taken for a leftover.
        if lock >= 0 { _ = flock(lock, LOCK_EX | LOCK_NB) }
        guard lock >= 0, rename(path, url.path(percentEncoded: false)) == 0 else {
            let words = strerror(errno).map { String(cString: $0) } ?? "error \(errno)"
            throw VideoError(parent.path(percentEncoded: false), .unwritable(words))
        }
    }

    deinit { close(lock) }

    func remove() { try? FileManager.default.removeItem(at: url) }

    /// Removes what killed processes of this user have left.
    /// - Returns: How many folders.
    static func removeLeftovers(in parent: URL = FileManager.default.temporaryDirectory) -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent.path(percentEncoded: false))) ?? []
        return names.count { name in
            guard name.hasPrefix(prefix) else { return false }
            let url = parent.appending(path: name)
            let folder = open(url.path(percentEncoded: false), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard folder >= 0 else { return false }
            defer { close(folder) }
            var status = stat()
            guard fstat(folder, &status) == 0, status.st_uid == geteuid(), flock(folder, LOCK_EX | LOCK_NB) == 0 else {
                return false
            }
            return (try? FileManager.default.removeItem(at: url)) != nil
        }
    }
}
