/* Messages in the shape of the four examples of CAP 1.2, appendix A: same elements, codes and spacing, shorter texts. */

export const advisory = `<?xml version = "1.0" encoding = "UTF-8"?>
<alert xmlns = "urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>43b080713727</identifier> 
  <sender>hsas@dhs.gov</sender> 
  <sent>2003-04-02T14:39:01-05:00</sent>
  <status>Actual</status> 
  <msgType>Alert</msgType>
  <scope>Public</scope>  
  <info>
    <category>Security</category>   
    <event>Advisory system update</event>   
    <urgency>Immediate</urgency>   
    <severity>Severe</severity>   
    <certainty>Likely</certainty>
    <senderName>Department</senderName>
    <headline>Code ORANGE</headline>
    <description>The level is raised.</description>
    <instruction> Take the measures of this level.</instruction> 
    <web>http://example.org/theme=29</web>
    <parameter>
      <valueName>HSAS</valueName>
      <value>ORANGE</value>
    </parameter>   
    <resource>
      <resourceDesc>Image file (GIF)</resourceDesc>
      <mimeType>image/gif</mimeType>   
      <uri>http://example.org/image</uri>
    </resource>   
    <area>       
      <areaDesc>Nationwide</areaDesc>   
    </area>
  </info>
</alert>
`;

export const thunderstorm = `<?xml version = "1.0" encoding = "UTF-8"?>
<alert xmlns = "urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>KSTO1055887203</identifier> 
  <sender>KSTO@NWS.NOAA.GOV</sender> 
  <sent>2003-06-17T14:57:00-07:00</sent>
  <status>Actual</status> 
  <msgType>Alert</msgType>
  <scope>Public</scope> 
  <info>
    <category>Met</category>   
    <event>SEVERE THUNDERSTORM</event>
    <responseType>Shelter</responseType> 
    <urgency>Immediate</urgency>   
    <severity>Severe</severity>   
    <certainty>Observed</certainty>
    <eventCode>
      <valueName>SAME</valueName>
      <value>SVR</value>
    </eventCode>
    <expires>2003-06-17T16:00:00-07:00</expires>  
    <senderName>WEATHER SERVICE</senderName>
    <headline>SEVERE THUNDERSTORM WARNING</headline>
    <description>HAIL...INTENSE RAIN AND STRONG DAMAGING WINDS.</description>
    <instruction>TAKE COVER.</instruction>
    <area>       
      <areaDesc>THREE COUNTIES</areaDesc>
      <polygon>38.47,-120.14 38.34,-119.95 38.52,-119.74 38.62,-119.89 38.47,-120.14</polygon>
      <geocode>
        <valueName>SAME</valueName>
        <value>006109</value>
      </geocode>
      <geocode>
        <valueName>SAME</valueName>
        <value>006009</value>
      </geocode>
    </area>
  </info>
</alert>
`;

export const earthquake = `<?xml version = "1.0" encoding = "UTF-8"?>
<alert xmlns = "urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>TRI13970876.2</identifier> 
  <sender>trinet@caltech.edu</sender> 
  <sent>2003-06-11T20:56:00-07:00</sent>
  <status>Actual</status> 
  <msgType>Update</msgType>
  <scope>Public</scope>
  <references>trinet@caltech.edu,TRI13970876.1,2003-06-11T20:30:00-07:00</references>
  <info>
    <category>Geo</category>
    <event>Earthquake</event>   
    <urgency>Past</urgency>   
    <severity>Minor</severity>   
    <certainty>Observed</certainty>
    <headline>EQ 3.4</headline>
    <parameter>
      <valueName>Magnitude</valueName>
      <value>3.4 Ml</value>
    </parameter>
    <area>
      <areaDesc>1 mi. WSW of the town</areaDesc>
      <circle>32.9525,-115.5527 0</circle>  
    </area>
  </info>
</alert>
`;

export const twoLanguages = `<?xml version = "1.0" encoding = "UTF-8"?>
<alert xmlns = "urn:oasis:names:tc:emergency:cap:1.2">
   <identifier>KAR0-0306112239-SW</identifier>
   <sender>KARO@CLETS.DOJ.CA.GOV</sender>
   <sent>2003-06-11T22:39:00-07:00</sent>
   <status>Actual</status>
   <msgType>Alert</msgType>
   <source>SW</source>
   <scope>Public</scope>
   <info>
     <language>en-US</language>
     <category>Rescue</category>
     <event>Child Abduction</event>
     <urgency>Immediate</urgency>
     <severity>Severe</severity>
     <certainty>Likely</certainty>
     <area><areaDesc>County</areaDesc><geocode><valueName>SAME</valueName><value>006037</value></geocode></area>
   </info>
   <info>
     <language>es-US</language>
     <category>Rescue</category>
     <event>Abducción de Niño</event>
     <urgency>Immediate</urgency>
     <severity>Severe</severity>
     <certainty>Likely</certainty>
     <area><areaDesc>condado</areaDesc><geocode><valueName>SAME</valueName><value>006037</value></geocode></area>
   </info>
</alert>`;

export interface Storm {
  readonly identifier?: string;
  readonly sender?: string;
  readonly sent?: string;
  readonly status?: string;
  readonly type?: string;
  readonly references?: string;
  readonly severity?: string;
  readonly expires?: string;
  readonly area?: string;
  readonly info?: boolean;
}

/** A red warning of rain as a Chinese centre sends it; a sender and a place that are made up. */
export function storm(change: Storm = {}): string {
  const one = {
    identifier: '51041141600000_20261123080000_1',
    sender: '51041141600000',
    sent: '2026-11-23T08:00:00+08:00',
    status: 'Actual',
    type: 'Alert',
    severity: 'Severe',
    expires: '2026-11-23T12:00:00+08:00',
    area: '<areaDesc>全区</areaDesc><geocode><valueName>行政区划代码</valueName><value>510411000000</value></geocode>',
    ...change,
  };
  const references = one.references === undefined ? '' : `<references>${one.references}</references>`;
  const info = `<info><language>zh-CN</language><category>Met</category><event>暴雨</event><urgency>Immediate</urgency>
<severity>${one.severity}</severity><certainty>Likely</certainty><expires>${one.expires}</expires><headline>暴雨红色预警</headline>
<description>未来三小时降雨量将达一百毫米以上。</description><instruction>停止户外活动。</instruction><area>${one.area}</area></info>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>${one.identifier}</identifier><sender>${one.sender}</sender>
<sent>${one.sent}</sent><status>${one.status}</status><msgType>${one.type}</msgType><scope>Public</scope>${references}
${one.info === false ? '' : info}</alert>`;
}
