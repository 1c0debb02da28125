import SegNetImages

extension LabelRule {
    /// The 32 colours of CamVid's original labels and the class of the SegNet authors' eleven (or twelve) to which each belongs.
    ///
    /// Nowhere do the authors say how they grouped the colours. This is the grouping that MathWorks' SegNet example for MATLAB published
    /// ("following the procedure used in original SegNet paper"), and that other programs took over; only the colour Void is void.
    static func camVidColors(_ table: ClassTable) -> LabelRule {
        let groups: [(name: String, red: UInt8, green: UInt8, blue: UInt8, group: String?)] = [
            ("Animal", 64, 128, 64, "Pedestrian"), ("Archway", 192, 0, 128, "Building"),
            ("Bicyclist", 0, 128, 192, "Bicyclist"),
            ("Bridge", 0, 128, 64, "Building"), ("Building", 128, 0, 0, "Building"), ("Car", 64, 0, 128, "Car"),
            ("CartLuggagePram", 64, 0, 192, "Pedestrian"), ("Child", 192, 128, 64, "Pedestrian"),
            ("Column_Pole", 192, 192, 128, "Pole"), ("Fence", 64, 64, 128, "Fence"),
            ("LaneMkgsDriv", 128, 0, 192, "RoadMarking"), ("LaneMkgsNonDriv", 192, 0, 64, "RoadMarking"),
            ("Misc_Text", 128, 128, 64, "SignSymbol"), ("MotorcycleScooter", 192, 0, 192, "Bicyclist"),
            ("OtherMoving", 128, 64, 64, "Car"), ("ParkingBlock", 64, 192, 128, "Pavement"),
            ("Pedestrian", 64, 64, 0, "Pedestrian"), ("Road", 128, 64, 128, "Road"),
            ("RoadShoulder", 128, 128, 192, "Pavement"), ("Sidewalk", 0, 0, 192, "Pavement"),
            ("SignSymbol", 192, 128, 128, "SignSymbol"), ("Sky", 128, 128, 128, "Sky"),
            ("SUVPickupTruck", 64, 128, 192, "Car"),
            ("TrafficCone", 0, 0, 64, "Pole"), ("TrafficLight", 0, 64, 64, "SignSymbol"),
            ("Train", 192, 64, 128, "Car"),
            ("Tree", 128, 128, 0, "Tree"), ("Truck_Bus", 192, 128, 192, "Car"), ("Tunnel", 64, 0, 64, "Building"),
            ("VegetationMisc", 192, 192, 0, "Tree"), ("Void", 0, 0, 0, nil), ("Wall", 64, 192, 0, "Building"),
        ]
        var mapping: [UInt16: UInt16?] = [:]
        for (number, entry) in groups.enumerated() {
            var id = entry.group.flatMap { table.id(named: $0) }
            // Without a class for them, markings are road.
            if entry.group == "RoadMarking" {
                id = table.id(named: "Road_marking") ?? table.id(named: "RoadMarking") ?? table.id(named: "Road")
            }
            mapping[UInt16(number)] = .some(id.map { UInt16($0) })
        }
        let colors = ClassTable(
            name: "camvid32",
            classes: groups.map { ClassTable.Entry($0.name, Color($0.red, $0.green, $0.blue)) }
        )
        return LabelRule(mapping: mapping, isColored: true, colors: colors)
    }
}
