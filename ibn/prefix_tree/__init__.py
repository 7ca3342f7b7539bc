"""Growing preference datasets against any text generator: prefix trees and chains (theory §7)."""
