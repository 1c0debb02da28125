/// Aliases of YAML (`*name`), which stand for what an anchor (`&name`) has named: a few lines of them can stand for more than any machine
/// holds, and readers that compare keys go through all of it.
package enum YAMLAliases {
    /// Levels of three each multiply most: 3^5 copies of what the text itself holds.
    package static let most = 16

    /// What is wrong with a text: nil, or half a sentence.
    package static func problem(in yaml: String) -> String? {
        var count = 0
        var previous = UInt8(ascii: "\n")
        var isAlias = false
        for byte in yaml.utf8 {
            // An alias begins where a value may; elsewhere a star is one of a text's letters.
            if isAlias, !" \t\r\n,]}".utf8.contains(byte) { count += 1 }
            isAlias = byte == UInt8(ascii: "*") && " \t\r\n,:[{-?".utf8.contains(previous)
            previous = byte
        }
        guard count > most else { return nil }
        return "has \(count) aliases (*name), and at most \(most) are read; write their values out."
    }
}
