"""What the pantry plan says: who sells what, and for how much.

The first product of an ingredient is the one the bakery prefers.
"""

SUPPLIERS = """
# slug          | name            | kind      | city       | web | open
harbour-grocers | Harbour Grocers | shop      | Linden Bay |     | weekdays saturday
ferme-du-moulin | Ferme du Moulin | market    | Linden Bay |     | saturday
muehle-brandt   | Mühle Brandt    | wholesale | Oberfeld   | yes | weekdays
casa-nunez      | Casa Núñez      | shop      | Linden Bay |     | weekdays
cacao-and-co    | Cacao & Co.     | online    |            | yes |
spice-quay      | Spice Quay      | online    |            | yes |
orchard-row     | Orchard Row     | market    | Linden Bay |     | saturday
ribbon-house    | Ribbon House    | online    |            | yes |
tin-and-box     | Tin and Box     | wholesale | Oberfeld   | yes | weekdays
"""

SUPPLIER_NOTES = """
# slug          | notes
harbour-grocers | Orders before ten, ready at noon
ferme-du-moulin | Crème fraîche every other week
muehle-brandt   | From 25 kg, on Thursdays
casa-nunez      | The good vanilla
cacao-and-co    | Ice packs in summer
"""

ALLERGENS = """
# slug    | name      | label
gluten    | Gluten    | Contains cereals with gluten.
milk      | Milk      | Contains milk, lactose included.
eggs      | Eggs      | Contains eggs.
nuts      | Tree nuts | Contains almonds, hazelnuts, pecans, pistachios or walnuts.
soy       | Soy       | Contains soy lecithin.
sesame    | Sesame    | Contains sesame seeds.
sulphites | Sulphites | Contains sulphur dioxide, as a preservative of dried fruit.
"""

GROUPS = """
# slug         | name                 | parent
dry-goods      | Dry goods            |
flours         | Flours and starches  | dry-goods
sugars         | Sugars and syrups    | dry-goods
leavening      | Leavening and salt   | dry-goods
cold-store     | Cold store           |
dairy          | Dairy                | cold-store
produce        | Fresh produce        | cold-store
nuts-and-fruit | Nuts and dried fruit |
nuts-seeds     | Nuts and seeds       | nuts-and-fruit
dried-fruit    | Dried fruit          | nuts-and-fruit
flavours       | Flavours             |
chocolate      | Chocolate and cocoa  | flavours
spices         | Spices               | flavours
essences       | Essences and spirits | flavours
packaging      | Food-safe packaging  |
"""

# Days are how long it keeps; g/ml turns spoons into grams.
INGREDIENTS = """
# slug            | name                 | group       | unit | days | place   | g/ml  | allergens
plain-flour       | Plain flour          | flours      | g    | 300  | pantry  | 0.53  | gluten
rye-flour         | Rye flour, wholemeal | flours      | g    | 200  | pantry  | 0.5   | gluten
bread-flour       | Strong bread flour   | flours      | g    | 300  | pantry  | 0.55  | gluten
rice-flour        | Rice flour           | flours      | g    | 300  | pantry  | 0.67  |
cornflour         | Cornflour            | flours      | g    |      | pantry  | 0.54  |
rolled-oats       | Rolled oats          | flours      | g    | 270  | pantry  | 0.38  | gluten
caster-sugar      | Caster sugar         | sugars      | g    |      | pantry  | 0.85  |
icing-sugar       | Icing sugar          | sugars      | g    |      | pantry  | 0.56  |
muscovado         | Dark muscovado       | sugars      | g    | 540  | pantry  | 0.9   |
piloncillo        | Piloncillo           | sugars      | g    | 540  | pantry  |       |
honey             | Blossom honey        | sugars      | g    |      | pantry  | 1.42  |
golden-syrup      | Golden syrup         | sugars      | g    | 540  | pantry  | 1.4   |
maple-syrup       | Maple syrup          | sugars      | ml   | 365  | fridge  | 1.32  |
baking-powder     | Baking powder        | leavening   | g    | 365  | pantry  | 0.9   |
bicarbonate       | Bicarbonate of soda  | leavening   | g    |      | pantry  | 1.1   |
dried-yeast       | Dried yeast          | leavening   | g    | 240  | pantry  | 0.62  |
sea-salt          | Fine sea salt        | leavening   | g    |      | pantry  | 1.2   |
fleur-de-sel      | Fleur de sel         | leavening   | g    |      | pantry  | 0.95  |
butter            | Unsalted butter      | dairy       | g    | 60   | fridge  | 0.911 | milk
whole-milk        | Whole milk           | dairy       | ml   | 10   | fridge  | 1.03  | milk
double-cream      | Double cream         | dairy       | ml   | 14   | fridge  | 0.99  | milk
creme-fraiche     | Crème fraîche        | dairy       | g    | 21   | fridge  | 1.0   | milk
aged-cheddar      | Aged cheddar         | dairy       | g    | 90   | fridge  |       | milk
eggs              | Eggs, free range     | dairy       | pc   | 28   | fridge  |       | eggs
lemons            | Lemons, unwaxed      | produce     | pc   | 21   | fridge  |       |
oranges           | Oranges, unwaxed     | produce     | pc   | 21   | fridge  |       |
raspberries       | Raspberries, frozen  | produce     | g    | 300  | freezer |       |
jalapeno          | Jalapeño, fresh      | produce     | g    | 14   | fridge  |       |
rosemary          | Rosemary             | produce     | g    | 12   | fridge  |       |
ground-almonds    | Ground almonds       | nuts-seeds  | g    | 180  | pantry  | 0.4   | nuts
hazelnuts         | Hazelnuts, roasted   | nuts-seeds  | g    | 180  | pantry  |       | nuts
pistachios        | Pistachios           | nuts-seeds  | g    | 180  | pantry  |       | nuts
walnuts           | Walnuts              | nuts-seeds  | g    | 150  | pantry  |       | nuts
pecans            | Pecans               | nuts-seeds  | g    | 150  | pantry  |       | nuts
sesame            | Sesame seeds         | nuts-seeds  | g    | 240  | pantry  | 0.64  | sesame
dried-cranberries | Dried cranberries    | dried-fruit | g    | 270  | pantry  |       |
raisins           | Raisins              | dried-fruit | g    | 365  | pantry  |       | sulphites
dried-apricots    | Dried apricots       | dried-fruit | g    | 270  | pantry  |       | sulphites
dark-couverture   | Dark couverture 64%  | chocolate   | g    | 365  | cellar  |       | soy
white-couverture  | White couverture     | chocolate   | g    | 300  | cellar  |       | milk soy
cocoa             | Cocoa powder         | chocolate   | g    | 540  | pantry  | 0.42  |
cinnamon          | Cinnamon, ground     | spices      | g    |      | pantry  | 0.53  |
ginger            | Ginger, ground       | spices      | g    |      | pantry  | 0.4   |
cardamom          | Cardamom, ground     | spices      | g    |      | pantry  | 0.42  |
cloves            | Cloves, ground       | spices      | g    |      | pantry  | 0.44  |
nutmeg            | Nutmeg, ground       | spices      | g    |      | pantry  | 0.47  |
smoked-paprika    | Pimentón de la Vera  | spices      | g    | 540  | pantry  | 0.46  |
vanilla-extract   | Vanilla extract      | essences    | ml   |      | pantry  | 0.88  |
peppermint-oil    | Peppermint oil       | essences    | ml   |      | pantry  | 0.9   |
dark-rum          | Dark rum             | essences    | ml   |      | cellar  | 0.95  |
espresso          | Espresso, ground     | essences    | g    | 180  | pantry  | 0.37  |
cookie-tin        | Cookie tin, lined    | packaging   | pc   |      | cellar  |       |
kraft-box         | Kraft window box     | packaging   | pc   |      | cellar  |       |
truffle-box       | Truffle tray box     | packaging   | pc   |      | cellar  |       |
cello-bag         | Cellophane bag       | packaging   | pc   |      | cellar  |       |
jam-jar           | Jam jar with lid     | packaging   | pc   |      | cellar  |       |
willow-basket     | Willow basket        | packaging   | pc   |      | cellar  |       |
"""

# Per 100 g, where the label must say it.
NUTRITION = """
# ingredient   | kcal  | protein | carbohydrate
plain-flour    | 348.0 | 10.3    | 76.3
rolled-oats    | 372.5 | 13.5    | 58.7
caster-sugar   | 400.0 | 0       | 100
honey          | 304.0 | 0.3     | 82.4
butter         | 743.5 | 0.7     | 0.6
whole-milk     | 64.0  | 3.4     | 4.7
eggs           | 143.0 | 12.6    | 0.7
ground-almonds | 612.0 | 21.1    | 6.9
"""

PRODUCTS = """
# ingredient      | brand           | name               | size          | price | supplier
plain-flour       | Mühle Brandt    | Typ 550            | 25 kg sack    | 23.90 | muehle-brandt
plain-flour       | Quayside        | Plain flour        | 1.5 kg bag    | 2.15  | harbour-grocers
rye-flour         | Mühle Brandt    | Roggenvollkorn     | 5 kg sack     | 7.40  | muehle-brandt
bread-flour       | Mühle Brandt    | Typ 812            | 10 kg sack    | 11.20 | muehle-brandt
rice-flour        | White Crane     | Rice flour         | 500 g bag     | 2.35  | harbour-grocers
cornflour         | Quayside        | Cornflour          | 400 g box     | 1.45  | harbour-grocers
rolled-oats       | Mühle Brandt    | Großblatt          | 5 kg sack     | 8.75  | muehle-brandt
rolled-oats       | Quayside        | Jumbo oats         | 1 kg bag      | 2.60  | harbour-grocers
caster-sugar      | Quayside        | Caster sugar       | 5 kg bag      | 6.95  | harbour-grocers
caster-sugar      | Quayside        | Caster sugar       | 1 kg bag      | 1.69  | harbour-grocers
icing-sugar       | Quayside        | Icing sugar        | 1 kg box      | 2.10  | harbour-grocers
muscovado         | Île Verte       | Dark muscovado     | 1 kg bag      | 4.80  | harbour-grocers
piloncillo        | Rancho Alegre   | Cono oscuro        | 450 g         | 3.25  | casa-nunez
honey             | Orchard Row     | Summer blossom     | 500 g jar     | 7.50  | orchard-row
golden-syrup      | Quayside        | Golden syrup       | 680 g tin     | 3.30  | harbour-grocers
maple-syrup       | Érablière Roy   | Ambré              | 540 ml can    | 9.80  | harbour-grocers
baking-powder     | Quayside        | Baking powder      | 170 g tub     | 1.85  | harbour-grocers
bicarbonate       | Quayside        | Bicarbonate        | 200 g tub     | 1.20  | harbour-grocers
dried-yeast       | Hefner          | Trockenhefe        | 125 g tin     | 2.95  | muehle-brandt
sea-salt          | Bay Salt Works  | Fine               | 1 kg bag      | 1.60  | harbour-grocers
fleur-de-sel      | Salines du Cap  | Fleur de sel       | 125 g pot     | 5.90  | casa-nunez
butter            | Ferme du Moulin | Beurre doux        | 500 g block   | 5.20  | ferme-du-moulin
butter            | Harbour         | Unsalted butter    | 250 g pat     | 2.89  | harbour-grocers
whole-milk        | Ferme du Moulin | Lait entier        | 1 l bottle    | 1.75  | ferme-du-moulin
double-cream      | Ferme du Moulin | Crème double       | 500 ml        | 4.10  | ferme-du-moulin
creme-fraiche     | Ferme du Moulin | Épaisse            | 400 g pot     | 3.95  | ferme-du-moulin
aged-cheddar      | Harbour         | Cheddar, 18 months | 350 g         | 5.65  | harbour-grocers
eggs              | Ferme du Moulin | Œufs de plein air  | 30 pc tray    | 8.40  | ferme-du-moulin
eggs              | Harbour         | Free range, large  | 12 pc box     | 3.95  | harbour-grocers
lemons            | Orchard Row     | Unwaxed            | 5 pc net      | 2.80  | orchard-row
oranges           | Orchard Row     | Unwaxed            | 6 pc net      | 3.60  | orchard-row
raspberries       | Orchard Row     | Frozen             | 1 kg bag      | 8.90  | orchard-row
jalapeno          | Casa Núñez      | Jalapeño           | 250 g         | 2.40  | casa-nunez
rosemary          | Orchard Row     | Bunch              | 40 g          | 1.30  | orchard-row
ground-almonds    | Val d'Or        | Ground almonds     | 1 kg bag      | 11.90 | spice-quay
hazelnuts         | Giresun Ağa     | Roasted, skinned   | 1 kg bag      | 14.80 | spice-quay
pistachios        | Antep Bahçe     | Boz iç             | 500 g bag     | 13.60 | spice-quay
walnuts           | Orchard Row     | Halves             | 500 g bag     | 6.70  | orchard-row
pecans            | Rancho Alegre   | Nuez pecanera      | 500 g bag     | 9.30  | casa-nunez
sesame            | White Crane     | White sesame       | 250 g bag     | 2.20  | harbour-grocers
dried-cranberries | Harbour         | Cranberries        | 500 g bag     | 5.10  | harbour-grocers
raisins           | Harbour         | Raisins            | 1 kg bag      | 4.60  | harbour-grocers
dried-apricots    | Malatya Gün     | Apricots           | 500 g bag     | 5.90  | spice-quay
dark-couverture   | Cacao & Co.     | Noir 64            | 2.5 kg bag    | 38.50 | cacao-and-co
dark-couverture   | Harbour         | Dark baking bar    | 200 g bar     | 3.95  | harbour-grocers
white-couverture  | Cacao & Co.     | Ivoire 34          | 2.5 kg bag    | 36.00 | cacao-and-co
cocoa             | Cacao & Co.     | Rouge 22/24        | 1 kg bag      | 15.20 | cacao-and-co
cinnamon          | Spice Quay      | Ceylon             | 100 g pouch   | 4.30  | spice-quay
ginger            | Spice Quay      | Ginger             | 100 g pouch   | 3.10  | spice-quay
cardamom          | Spice Quay      | Green, ground      | 50 g pouch    | 6.20  | spice-quay
cloves            | Spice Quay      | Cloves             | 50 g pouch    | 2.90  | spice-quay
nutmeg            | Spice Quay      | Nutmeg             | 50 g pouch    | 3.40  | spice-quay
smoked-paprika    | Casa Núñez      | Pimentón dulce     | 75 g tin      | 3.15  | casa-nunez
vanilla-extract   | Casa Núñez      | Papantla           | 250 ml bottle | 21.50 | casa-nunez
peppermint-oil    | Spice Quay      | Peppermint         | 30 ml bottle  | 6.40  | spice-quay
dark-rum          | Harbour         | Overproof dark     | 700 ml bottle | 22.00 | harbour-grocers
espresso          | Harbour         | House roast        | 250 g bag     | 6.80  | harbour-grocers
cookie-tin        | Tin and Box     | Round, 18 cm       | 24 pc carton  | 45.60 | tin-and-box
kraft-box         | Tin and Box     | Kraft M            | 50 pc pack    | 32.50 | tin-and-box
truffle-box       | Tin and Box     | Sixteen wells      | 25 pc pack    | 28.75 | tin-and-box
cello-bag         | Tin and Box     | Gusseted           | 200 pc pack   | 18.40 | tin-and-box
jam-jar           | Tin and Box     | 212 ml             | 24 pc tray    | 16.80 | tin-and-box
willow-basket     | Tin and Box     | Oval, lined        | 1 pc          | 6.90  |
"""
