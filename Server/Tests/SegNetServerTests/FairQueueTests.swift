import Testing

@testable import SegNetServer

@Suite("The order of work")
struct FairQueueTests {
    /// Adds entries that are called after their number.
    private func queue(_ entries: [(client: String, price: Double)]) -> FairQueue<Int> {
        var queue = FairQueue<Int>()
        for (index, entry) in entries.enumerated() {
            _ = queue.add(index, client: entry.client, price: entry.price)
        }
        return queue
    }

    private func order(_ queue: FairQueue<Int>) -> [Int] {
        var queue = queue
        var order: [Int] = []
        while let entry = queue.next() { order.append(entry.element) }
        return order
    }

    @Test("equal ones of one client come in the order of their arrival")
    func arrival() {
        #expect(order(queue([("a", 1), ("a", 1), ("a", 1)])) == [0, 1, 2])
    }

    @Test("a cheap one overtakes expensive ones, of others and of its own client")
    func cheap() {
        #expect(order(queue([("a", 1000), ("a", 1000), ("b", 1)])) == [2, 0, 1])
        #expect(order(queue([("a", 1000), ("a", 1000), ("a", 1)])) == [2, 0, 1])
    }

    @Test("a client with much waits for one with little")
    func clients() {
        #expect(order(queue([("a", 1), ("a", 1), ("a", 1), ("a", 1), ("b", 1)])) == [0, 4, 1, 2, 3])
    }

    @Test("the most expensive is done, however many cheap ones keep coming")
    func starvation() {
        var queue = queue([("expensive", 100)])
        var done = 0
        while done < 1000 {
            _ = queue.add(-1, client: "cheap", price: 1)
            guard let entry = queue.next() else { break }
            queue.finish(client: entry.client)
            if entry.element == 0 { break }
            done += 1
        }
        #expect(done <= 100)
    }

    @Test("who comes last in line gives way, and only to what would come before it")
    func displacement() {
        var queue = queue([("a", 1), ("a", 50)])
        #expect(queue.removeLast(after: queue.tag(client: "b", price: 1000)) == nil)
        #expect(queue.removeLast(after: queue.tag(client: "b", price: 1))?.element == 1)
        #expect(order(queue) == [0])
    }

    @Test("what is ahead is known by its price")
    func prices() {
        let queue = queue([("a", 1), ("b", 2), ("c", 400)])
        #expect(queue.price(before: queue.tag(client: "d", price: 3), free: 0) == 3)
        #expect(queue.price(before: queue.tag(client: "d", price: 3), free: 1) == 2)
        #expect(queue.price(before: queue.tag(client: "d", price: 500), free: 0) == 403)
    }
}
