/// The order in which work is done: cheap before expensive, and clients that ask for little before those that ask for much. Nothing waits
/// for ever.
///
/// Each entry gets a tag when it comes: the queue's virtual time, plus its price times one more than what its client has in the queue or
/// in work already. The lowest tag is next, and the virtual time moves up to it: what comes later starts from there, so only a
/// limited amount of work can overtake even the most expensive entry. Source: start-time fair queueing (Goyal, Vin and Cheng, 1996), with
/// prices that grow within a client, so that a cheap request also overtakes expensive ones that come through the same proxy.
struct FairQueue<Element> {
    struct Entry {
        var id: UInt64
        var client: String
        var price: Double
        var tag: Double
        var element: Element
    }

    private(set) var entries: [Entry] = []
    private var time = 0.0
    private var lastID: UInt64 = 0
    /// Entries in the queue and in work, by client.
    private var outstanding: [String: Int] = [:]

    var count: Int { entries.count }

    /// The tag that an entry would get now.
    func tag(client: String, price: Double) -> Double {
        time + price * Double(1 + (outstanding[client] ?? 0))
    }

    /// - Parameter price: Above 0.
    /// - Returns: The entry's id.
    mutating func add(_ element: Element, client: String, price: Double) -> UInt64 {
        lastID += 1
        let tag = tag(client: client, price: price)
        outstanding[client, default: 0] += 1
        // Few wait at once: 64 unless the user says otherwise.
        let index = entries.firstIndex { $0.tag > tag } ?? entries.endIndex
        entries.insert(Entry(id: lastID, client: client, price: price, tag: tag, element: element), at: index)
        return lastID
    }

    /// Takes the next, or the first that may be taken. `finish` returns its client's share.
    mutating func next(where mayBeTaken: (Entry) -> Bool = { _ in true }) -> Entry? {
        guard let index = entries.firstIndex(where: mayBeTaken) else { return nil }
        let entry = entries.remove(at: index)
        time = max(time, entry.tag)
        return entry
    }

    /// The client has one piece of work less.
    mutating func finish(client: String) {
        let left = (outstanding[client] ?? 0) - 1
        outstanding[client] = left > 0 ? left : nil
    }

    /// Takes out an entry that nobody waits for any more.
    mutating func remove(id: UInt64) -> Entry? {
        guard let index = entries.firstIndex(where: { $0.id == id }) else { return nil }
        finish(client: entries[index].client)
        return entries.remove(at: index)
    }

    /// Takes out the last in line, if an entry with this tag would come before it.
    mutating func removeLast(after tag: Double) -> Entry? {
        guard let last = entries.last, last.tag > tag else { return nil }
        return remove(id: last.id)
    }

    /// The prices of all that would be done before an entry with this tag, without the first `free`, whose workers are idle.
    func price(before tag: Double, free: Int) -> Double {
        entries.dropFirst(max(0, free)).prefix { $0.tag <= tag }.reduce(0) { $0 + $1.price }
    }
}
