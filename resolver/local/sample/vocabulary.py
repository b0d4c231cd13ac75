"""The words that the sample domain is made of. Invented customers: common names, no real persons.

Telephone numbers are random digits behind real area codes: the range set aside for fiction (555-01XX) is too
small for a domain with shared and distinct numbers.
"""

from __future__ import annotations

from typing import Final

#: Given names with the short forms that people also give.
GIVEN: Final[dict[str, tuple[str, ...]]] = {
    "James": ("Jim", "Jimmy"), "Robert": ("Bob", "Rob"), "John": ("Jack", "Johnny"), "Michael": ("Mike",),
    "David": ("Dave",), "William": ("Bill", "Will"), "Richard": ("Rick", "Dick"), "Joseph": ("Joe",),
    "Thomas": ("Tom",), "Christopher": ("Chris",), "Charles": ("Charlie", "Chuck"), "Daniel":
    ("Dan", "Danny"),
    "Matthew": ("Matt",), "Anthony": ("Tony",), "Mark": (), "Donald": ("Don",), "Steven": ("Steve",),
    "Andrew": ("Andy", "Drew"), "Paul": (), "Joshua": ("Josh",), "Kenneth": ("Ken",), "Kevin": ("Kev",),
    "Brian": (), "Timothy": ("Tim",), "Ronald": ("Ron",), "George": (), "Jason": (), "Edward":
    ("Ed", "Ted"),
    "Jeffrey": ("Jeff",), "Ryan": (), "Jacob": ("Jake",), "Nicholas": ("Nick",), "Gary": (), "Eric": (),
    "Jonathan": ("Jon",), "Stephen": ("Steve",), "Larry": (), "Justin": (), "Scott": (), "Brandon": (),
    "Benjamin": ("Ben",), "Samuel": ("Sam",), "Gregory": ("Greg",), "Alexander": ("Alex",),
    "Patrick": ("Pat",),
    "Frank": (), "Raymond": ("Ray",), "Jack": (), "Dennis": (), "Jerry": (), "Tyler": (), "Aaron": (),
    "Jose": ("Pepe",), "Adam": (), "Nathan": ("Nate",), "Henry": ("Harry",), "Peter": ("Pete",),
    "Zachary": ("Zach",),
    "Mary": ("Molly",), "Patricia": ("Pat", "Patty"), "Jennifer": ("Jen", "Jenny"), "Linda": (),
    "Elizabeth": ("Liz", "Beth", "Betty"), "Barbara": ("Barb",), "Susan": ("Sue",), "Jessica": ("Jess",),
    "Sarah": ("Sally",), "Karen": (), "Lisa": (), "Nancy": (), "Sandra": ("Sandy",), "Betty": (),
    "Ashley": (), "Emily": ("Em",), "Kimberly": ("Kim",), "Margaret": ("Peggy", "Maggie"), "Donna": (),
    "Michelle": ("Shelly",), "Carol": (), "Amanda": ("Mandy",), "Melissa": ("Missy",), "Deborah":
    ("Debbie", "Deb"),
    "Stephanie": ("Steph",), "Rebecca": ("Becky",), "Laura": (), "Helen": ("Nell",), "Sharon": (),
    "Cynthia": ("Cindy",), "Kathleen": ("Kathy",), "Amy": (), "Angela": ("Angie",), "Shirley": (),
    "Anna": ("Annie",),
    "Brenda": (), "Pamela": ("Pam",), "Emma": (), "Nicole": ("Nikki",), "Samantha": ("Sam",),
    "Katherine": ("Kate", "Katie"), "Christine": ("Chris", "Tina"), "Debra": ("Deb",), "Rachel": (),
    "Carolyn": (), "Janet": ("Jan",), "Catherine": ("Cathy",), "Maria": (), "Heather": (), "Diane": (),
    "Olivia": ("Liv",), "Julie": (), "Joyce": (), "Victoria": ("Vicky",), "Kelly": (), "Christina":
    ("Tina",),
    "Joan": (), "Evelyn": ("Evie",), "Judith": ("Judy",), "Andrea": (), "Hannah": (), "Jacqueline":
    ("Jackie",),
    "Teresa": ("Terry",), "Gloria": (), "Sara": (), "Ana": (), "Jürgen": (), "Søren": (), "François": (),
    "Zoë": (), "Łukasz": (), "Íñigo": (), "Renée": (), "Björn": (), "Mei": (), "Aiko": (), "Priya":
    (), "Omar": (),
}  # fmt: skip

FAMILY: Final = tuple(
    """
    Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez
    Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris
    Sanchez Clark Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill
    Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts Gomez Phillips
    Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers
    Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson
    Watson Brooks Chavez Wood James Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders
    Patel Myers Long Ross Foster Jimenez Powell Jenkins Perry Russell Sullivan Bell Coleman Butler
    Henderson Barnes Gonzales Fisher Vasquez Simmons Romero Jordan Patterson Alexander Hamilton
    Graham Reynolds Griffin Wallace Moreno West Cole Hayes Bryant Herrera Gibson Ellis Tran Medina
    Aguilar Stevens Murray Ford Castro Marshall Owens Harrison Fernandez McDonald Woods Washington
    Kennedy Wells Vargas Henry Chen Freeman Webb Tucker Guzman Burns Crawford Olson Simpson Porter
    Hunter Gordon Mendez Silva Shaw Snyder Mason Dixon Munoz Hunt Hicks Holmes Palmer Wagner Black
    Robertson Boyd Rose Stone Salazar Fox Warren Mills Meyer Rice Schmidt Garza Daniels Ferguson
    Nichols Stephens Soto Weaver Ryan Gardner Payne Grant Dunn Kelley Spencer Hawkins Arnold Pierce
    Vazquez Hansen Peters Santos Hart Bradley Knight Elliott Cunningham Duncan Armstrong Hudson
    Carroll Lane Riley Andrews Alvarado Ray Delgado Berry Perkins Hoffman Johnston Matthews Pena
    Richards Contreras Willis Carpenter Lawrence Sandoval Guerrero George Chapman Rios Estrada
    Ortega Watkins Greene Nunez Wheeler Valdez Harper Burke Larson Santiago Maldonado Morrison
    Franklin Carlson Austin Dominguez Carr Lawson Jacobs OBrien Lynch Singh Vega Bishop Montgomery
    Oliver Jensen Harvey Williamson Gilbert Dean Sims Espinoza Howell Li Wong Reid Hanson Le McCoy
    Garrett Burton Fuller Wang Weber Welch Rojas Lucas Marquez Fields Park Yang Little Banks Padilla
    Day Walsh Bowman Schultz Luna Fowler Mejia Müller Weiß Sørensen Dvořák Kowalski Lindqvist
    Østergaard Ó'Connor van-der-Berg Saint-Clair Yamamoto Okafor Haddad
    """.split()
)

STREETS: Final = tuple(
    """
    Main Oak Maple Cedar Elm Pine Lake Hill Walnut Spring Ridge Church Willow Mill River Sunset Park
    Forest Meadow Highland Jefferson Madison Lincoln Franklin Chestnut Cherry Dogwood Magnolia
    Sycamore Juniper Laurel Poplar Hickory Birch Aspen Valley Canyon Prairie Orchard Vineyard Harbor
    Bay Ocean Summit Fairview Lakeview Riverside Woodland Brookside Hillcrest Greenwood Northgate
    Southport Westfield Eastgate College Academy Depot Foundry
    """.split()
)

STREET_TYPES: Final = (
    ("Street", "St"), ("Avenue", "Ave"), ("Road", "Rd"), ("Drive", "Dr"), ("Lane", "Ln"), ("Court", "Ct"),
    ("Boulevard", "Blvd"),
)  # fmt: skip

#: City, state, first three digits of the postal code, telephone area code.
CITIES: Final = (
    ("Springfield", "IL", "627", "217"), ("Portland", "OR", "972", "503"), ("Columbus", "OH", "432", "614"),
    ("Austin", "TX", "787", "512"), ("Madison", "WI", "537", "608"), ("Richmond", "VA", "232", "804"),
    ("Salem", "OR", "973", "971"), ("Dover", "DE", "199", "302"), ("Albany", "NY", "122", "518"),
    ("Boise", "ID", "837", "208"), ("Tucson", "AZ", "857", "520"), ("Fresno", "CA", "937", "559"),
    ("Omaha", "NE", "681", "402"), ("Raleigh", "NC", "276", "919"), ("Tulsa", "OK", "741", "918"),
    ("Wichita", "KS", "672", "316"), ("Toledo", "OH", "436", "419"), ("Buffalo", "NY", "142", "716"),
    ("Spokane", "WA", "992", "509"), ("Mobile", "AL", "366", "251"), ("Reno", "NV", "895", "775"),
    ("Lincoln", "NE", "685", "531"), ("Durham", "NC", "277", "984"), ("Tacoma", "WA", "984", "253"),
    ("Macon", "GA", "312", "478"), ("Peoria", "IL", "616", "309"), ("Provo", "UT", "846", "801"),
    ("Erie", "PA", "165", "814"), ("Flint", "MI", "485", "810"), ("Waco", "TX", "767", "254"),
)  # fmt: skip

TRADES: Final = (
    "Plumbing", "Dental", "Bakery", "Auto Repair", "Realty", "Logistics", "Landscaping",
    "Consulting", "Roofing",
    "Veterinary Clinic", "Law Office", "Accounting", "Electric", "Furniture", "Pharmacy",
    "Catering", "Printing",
)  # fmt: skip

LEGAL_FORMS: Final = (("LLC", "L.L.C."), ("Inc", "Incorporated"), ("Corp", "Corporation"), ("Ltd", "Limited"))

MAIL_PROVIDERS: Final = ("gmail.com", "yahoo.com", "outlook.com", "icloud.com", "aol.com", "comcast.net")

ROLE_MAILBOXES: Final = ("info", "office", "sales", "contact")

PLACEHOLDER_PHONES: Final = ("000-000-0000", "5555555555", "999-999-9999")
PLACEHOLDER_EMAILS: Final = ("none@none.com", "noemail@example.com", "test@test.com")
