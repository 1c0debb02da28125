/// Some of a network's classes, as the loss's kernel reads them: one bit per class.
public struct ClassSet: Sendable, Hashable {
    /// Class c is bit c % 16 of word c / 16.
    let words: [UInt32]

    /// - Parameters:
    ///   - ids: The classes of the set; ids that are not below `count` are left out.
    ///   - count: All classes.
    public init(_ ids: some Sequence<Int>, of count: Int) {
        var words = [UInt32](repeating: 0, count: max(0, count + 15) / 16)
        for id in ids where (0..<count).contains(id) { words[id / 16] |= 1 << UInt32(id % 16) }
        self.words = words
    }
}
