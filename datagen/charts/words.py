"""The names that charts are about: categories, series, and topics with their units and usual magnitudes."""

from dataclasses import dataclass

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
YEARS = tuple(str(year) for year in range(1985, 2031))


@dataclass(frozen=True)
class Pool:
    """Names of one sort: what they are called together, and whether they follow each other."""

    title: str
    ordered: bool
    names: tuple[str, ...]


POOLS: dict[str, Pool] = {
    "months": Pool("Month", True, MONTHS * 2),
    "full months": Pool(
        "Month",
        True,
        (
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ),
    ),
    "years": Pool("Year", True, YEARS),
    "financial years": Pool("Financial year", True, tuple(f"FY{year % 100:02d}" for year in range(2005, 2031))),
    "quarters": Pool("Quarter", True, tuple(f"Q{q} {year}" for year in range(2012, 2027) for q in range(1, 5))),
    "short quarters": Pool("Quarter", True, tuple(f"{q}Q{y:02d}" for y in range(10, 28) for q in range(1, 5))),
    "weekdays": Pool("Day", True, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")),
    "weeks": Pool("Week", True, tuple(f"Week {week}" for week in range(1, 53))),
    "hours": Pool("Time of day", True, tuple(f"{hour}:00" for hour in range(24))),
    "ages": Pool("Age group", True, ("0-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80+")),
    "incomes": Pool("Income band", True, ("<20k", "20-40k", "40-60k", "60-80k", "80-100k", "100-150k", ">150k")),
    "doses": Pool("Dose (mg)", True, ("0", "5", "10", "20", "40", "80", "160", "320")),
    "cities": Pool(
        "City",
        False,
        (
            "Lagos",
            "Osaka",
            "Lima",
            "Oslo",
            "Cairo",
            "Quito",
            "Berlin",
            "Seoul",
            "Delhi",
            "Paris",
            "Accra",
            "Turin",
            "Perth",
            "Boston",
            "Nairobi",
            "Hanoi",
            "Madrid",
            "Chicago",
            "Toronto",
            "Istanbul",
            "Jakarta",
            "Santiago",
            "Bangkok",
            "Shanghai",
            "Melbourne",
            "São Paulo",
            "Mexico City",
            "Cape Town",
            "New York",
            "Zürich",
        ),
    ),
    "countries": Pool(
        "Country",
        False,
        (
            "Chile",
            "Japan",
            "Kenya",
            "Spain",
            "India",
            "Norway",
            "Brazil",
            "Canada",
            "France",
            "Mexico",
            "Poland",
            "Turkey",
            "Egypt",
            "Ghana",
            "Italy",
            "Peru",
            "China",
            "Vietnam",
            "Germany",
            "Nigeria",
            "Portugal",
            "Thailand",
            "Australia",
            "Indonesia",
            "Argentina",
            "Bangladesh",
            "Switzerland",
            "New Zealand",
            "South Korea",
            "United States",
            "United Kingdom",
        ),
    ),
    "regions": Pool(
        "Region",
        False,
        (
            "North",
            "South",
            "East",
            "West",
            "Central",
            "Europe",
            "Asia",
            "Africa",
            "Oceania",
            "North America",
            "South America",
            "Middle East",
            "Coast",
            "Highlands",
            "Islands",
        ),
    ),
    "products": Pool(
        "Product",
        False,
        (
            "Laptops",
            "Phones",
            "Tablets",
            "Cameras",
            "Printers",
            "Monitors",
            "Headsets",
            "Routers",
            "Shoes",
            "Jackets",
            "Bicycles",
            "Furniture",
            "Toys",
            "Books",
            "Tea",
            "Coffee",
            "Juice",
            "Bread",
            "Cheese",
            "Rice",
            "Olive oil",
            "Frozen food",
            "Home & garden",
            "Car parts",
        ),
    ),
    "companies": Pool(
        "Company",
        False,
        (
            "Alvion",
            "Borealis",
            "Cintra",
            "Dovetail",
            "Emberly",
            "Fjordtech",
            "Granite Co",
            "Helio",
            "Ixora",
            "Juniper Bank",
            "Kestrel",
            "Lumina",
            "Marlow & Sons",
            "Nordwind",
            "Orbis",
            "Pinnacle",
            "Quanta",
            "Rivermark",
            "Solace",
            "Tramont",
        ),
    ),
    "sectors": Pool(
        "Sector",
        False,
        (
            "Energy",
            "Health",
            "Finance",
            "Retail",
            "Mining",
            "Farming",
            "Tourism",
            "Transport",
            "Education",
            "Construction",
            "Software",
            "Media",
            "Chemicals",
            "Public services",
            "Real estate",
        ),
    ),
    "energy": Pool(
        "Source",
        False,
        ("Coal", "Gas", "Oil", "Nuclear", "Hydro", "Wind", "Solar", "Biomass", "Geothermal", "Waste", "Tidal"),
    ),
    "crops": Pool(
        "Crop", False, ("Wheat", "Maize", "Barley", "Soy", "Cotton", "Potatoes", "Rice", "Oats", "Sugar beet")
    ),
    "subjects": Pool(
        "Subject",
        False,
        ("Maths", "Physics", "Biology", "History", "Music", "English", "Art", "Geography", "Chemistry", "Economics"),
    ),
    "transport": Pool(
        "Mode", False, ("Car", "Bus", "Train", "Bicycle", "On foot", "Tram", "Ferry", "Motorbike", "Metro")
    ),
    "channels": Pool(
        "Channel", False, ("Search", "Email", "Social", "Direct", "Referral", "Video", "Radio", "Print", "Partners")
    ),
    "materials": Pool(
        "Material",
        False,
        ("Steel", "Glass", "Paper", "Plastic", "Timber", "Copper", "Aluminium", "Concrete", "Textiles"),
    ),
    "expenses": Pool(
        "Item",
        False,
        ("Rent", "Food", "Wages", "Energy", "Travel", "Taxes", "Insurance", "Training", "Marketing", "Other"),
    ),
    "answers": Pool("Answer", True, ("Very poor", "Poor", "Fair", "Good", "Very good")),
    "models": Pool(
        "Model",
        False,
        ("Base", "Small", "Large", "Ours", "Baseline", "Ablation", "Teacher", "Student", "Ensemble", "Tiny"),
    ),
    "groups": Pool("Group", False, ("Group A", "Group B", "Group C", "Group D", "Control", "Placebo", "Treated")),
}

#: Names of series when the categories are ordered or come from another pool.
SERIES_POOLS = ("products", "regions", "companies", "sectors", "cities", "countries", "channels", "groups", "models")
PAIRS: tuple[tuple[str, ...], ...] = (
    ("Imports", "Exports"),
    ("Men", "Women"),
    ("Urban", "Rural"),
    ("Online", "In store"),
    ("Planned", "Actual"),
    ("Before", "After"),
    ("2019", "2024"),
    ("Budget", "Spent", "Forecast"),
    ("Low", "Medium", "High"),
    ("Gold", "Silver", "Bronze"),
    ("Public", "Private", "Mixed"),
    ("Morning", "Afternoon", "Evening", "Night"),
    ("Spring", "Summer", "Autumn", "Winter"),
    ("Plan A", "Plan B", "Plan C", "Plan D", "Plan E"),
)


@dataclass(frozen=True)
class Topic:
    """What values are of.

    Attributes:
        name: the topic, as in titles.
        unit: as in axis titles; empty for counts without a unit.
        low, high: the range that the typical value of a chart comes from.
        decimals: numbers of decimals that values may have.
        prefix, suffix: what may stand at a written value.
        signed: values may be negative.
        additive: values may be stacked, and be shares of a whole.
    """

    name: str
    unit: str
    low: float
    high: float
    decimals: tuple[int, ...]
    prefix: str = ""
    suffix: str = ""
    signed: bool = False
    additive: bool = True

    @property
    def title(self) -> str:
        """The topic with its unit, as an axis title."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


TOPICS: tuple[Topic, ...] = (
    Topic("Revenue", "million USD", 4, 900, (0, 1, 1, 2), prefix="$"),
    Topic("Net profit", "million EUR", 1, 120, (0, 1, 2), signed=True, additive=False),
    Topic("Sales", "units", 40, 9000, (0,)),
    Topic("Orders", "", 20, 4000, (0,)),
    Topic("Visitors", "thousands", 3, 800, (0, 1)),
    Topic("Population", "millions", 0.5, 90, (1, 2)),
    Topic("Rainfall", "mm", 10, 250, (0, 1)),
    Topic("Average temperature", "°C", 4, 28, (1,), signed=True, additive=False),
    Topic("Electricity output", "TWh", 5, 600, (0, 1)),
    Topic("CO2 emissions", "Mt", 2, 700, (0, 1)),
    Topic("Unemployment rate", "%", 2, 14, (1,), suffix="%", additive=False),
    Topic("Annual growth", "%", 1, 12, (1, 2), suffix="%", signed=True, additive=False),
    Topic("Market share", "%", 5, 60, (0, 1), suffix="%", additive=False),
    Topic("Test score", "points", 40, 95, (0, 1), additive=False),
    Topic("Response time", "ms", 15, 900, (0, 1), additive=False),
    Topic("Patients treated", "", 30, 2500, (0,)),
    Topic("Crop yield", "t/ha", 1, 9, (1, 2), additive=False),
    Topic("House price", "thousand EUR", 120, 900, (0,), prefix="€", additive=False),
    Topic("Passengers", "millions", 1, 150, (1, 2)),
    Topic("Water use", "million m3", 2, 300, (0, 1)),
    Topic("Research spending", "million USD", 2, 400, (0, 1), prefix="$"),
    Topic("Accuracy", "%", 55, 97, (1, 2), suffix="%", additive=False),
    Topic("Energy use", "kWh", 30, 4000, (0, 1)),
    Topic("Waste collected", "tonnes", 10, 1500, (0, 1)),
    Topic("Staff", "persons", 8, 600, (0,)),
    Topic("Loans granted", "", 15, 12000, (0,)),
    Topic("Time spent", "hours", 1, 60, (1,)),
    Topic("Exports", "billion USD", 0.8, 300, (1, 2), prefix="$"),
    Topic("Customer rating", "out of 10", 4, 9, (1, 2), additive=False),
    Topic("Fuel price", "EUR per litre", 0.9, 2.2, (2,), prefix="€", additive=False),
    Topic("Traffic accidents", "", 12, 900, (0,)),
    Topic("Library loans", "thousands", 2, 90, (1,)),
)

#: Topics of the second axis of a composite chart.
RATES: tuple[Topic, ...] = (
    Topic("Growth rate", "%", 2, 20, (1, 2), suffix="%", signed=True, additive=False),
    Topic("Share", "%", 5, 80, (0, 1), suffix="%", additive=False),
    Topic("Margin", "%", 4, 45, (1,), suffix="%", additive=False),
    Topic("Return rate", "%", 1, 15, (1,), suffix="%", additive=False),
    Topic("Average price", "EUR", 3, 90, (1, 2), additive=False),
    Topic("Temperature", "°C", 5, 27, (1,), additive=False),
    Topic("Satisfaction", "points", 50, 95, (0, 1), additive=False),
    Topic("Index", "", 80, 140, (0, 1), additive=False),
)

SHARE_TITLES = (
    "Energy mix",
    "Market shares",
    "Budget",
    "Survey answers",
    "Sources of income",
    "Spending",
    "Traffic by source",
)

PLACES = (
    "Norland",
    "the Alto valley",
    "Westmark",
    "Port Selma",
    "the northern states",
    "Isla Verde",
    "the capital",
    "Ostria",
)

#: Names of the easy level, three letters each.
SHORT_NAMES = (
    *("Cat", "Dog", "Fox", "Owl", "Bee", "Ant", "Cow", "Pig", "Hen", "Rat", "Elk", "Bat", "Ape", "Eel", "Yak"),
    *("Tea", "Jam", "Egg", "Fig", "Nut", "Pie", "Oil", "Rye", "Ham", "Pea"),
    *("Car", "Bus", "Van", "Jet", "Cab", "Red", "Tan", "Sun", "Sky", "Sea", "Ice", "Mud"),
    *("Cup", "Hat", "Key", "Pen", "Box", "Bag", "Map", "Toy", "Bed", "Fan", "Log", "Net"),
    *("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep"),
)
