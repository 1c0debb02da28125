/// Numbers as people read them; without `Foundation`'s formatters, which would load ICU's tables at start.
package enum Numbers {
    /// `29,460,042`
    package static func grouped(_ value: Int) -> String {
        var digits = String(value.magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.append(String(digits.suffix(3)))
            digits.removeLast(3)
        }
        return (value < 0 ? "-" : "") + ([digits] + groups.reversed()).joined(separator: ",")
    }

    /// `3.1`: a fixed number of digits behind the point, rounded.
    package static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        var factor = 1
        for _ in 0..<digits { factor *= 10 }
        let scaled = Int((abs(value) * Double(factor)).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(scaled)" }
        let fraction = String(scaled % factor)
        return "\(sign)\(scaled / factor)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    /// `112.4 MiB`
    package static func mebibytes(_ bytes: Int) -> String { fixed(Double(bytes) / 1_048_576, 1) + " MiB" }

    /// `12.3 %` of a share 0...1.
    package static func percent(_ share: Double) -> String { fixed(share * 100, 1) + " %" }

    /// `1:02:03`, `4:05`
    package static func clock(seconds: Double) -> String {
        let total = Int(max(0, min(seconds, 1e9)).rounded())
        let two = { (value: Int) in value < 10 ? "0\(value)" : "\(value)" }
        let (hours, minutes) = (total / 3600, total / 60 % 60)
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(total % 60))" : "\(minutes):\(two(total % 60))"
    }

    /// `1.53 G`: with the unit's prefix, three digits.
    package static func scaled(_ value: Int) -> String {
        for (limit, prefix) in [(1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")] where Double(value) >= limit {
            let number = Double(value) / limit
            return fixed(number, number < 10 ? 2 : number < 100 ? 1 : 0) + prefix
        }
        return "\(value)"
    }
}
