extension FileManager {
    /// Whether a path leads to a folder; nil if there is nothing.
    package func isFolder(_ path: String) -> Bool? {
        #if canImport(FoundationEssentials)
            var isFolder = false
            return fileExists(atPath: path, isDirectory: &isFolder) ? isFolder : nil
        #else
            var isFolder = ObjCBool(false)
            return fileExists(atPath: path, isDirectory: &isFolder) ? isFolder.boolValue : nil
        #endif
    }
}
